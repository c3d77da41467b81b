"""A loopback of the camera's way: an aiortc peer sends frames to streamlit-webrtc's own worker.

No browser and no Streamlit server: the worker takes its event loop and relay as arguments.
"""

import asyncio
import contextlib
import fractions
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError
from streamlit_webrtc import WebRtcMode
from streamlit_webrtc.webrtc import WebRtcWorker

from fer_core.emotions import LABELS
from fer_core.live.feeds.feed import Feed, FeedFrame
from fer_core.live.seats import Seats
from fer_core.live.session import LiveSession, LiveSettings, live_sessions
from fer_core.sessions.media_time import MediaTime
from fer_core.types import Detections, FrameResult, Prediction
from fer_core.ui.live.feed_track import FeedPlayer
from fer_core.ui.live.relay import NewestRelay
from fer_core.ui.live.webrtc import frames_callback, stream_ended

DEADLINE_S = 20
FPS = 15


class Playing(Feed):
    """A clip of grey pictures in memory, for as long as it is told, or a camera that never answers."""

    problem, ended = "", False

    def __init__(self, pictures=0):
        super().__init__("clip")
        self.pictures, self.stopped = pictures, threading.Event()

    def _run(self, stop):
        for index in range(self.pictures):
            if stop.wait(1 / FPS):
                break
            image_bgr = np.full((120, 160, 3), 40 + 3 * index, np.uint8)
            self._publish(FeedFrame(image_bgr, index / FPS, MediaTime(index / FPS)), stop)
        if self.pictures and not stop.is_set():
            self.ended = True
            self._publish(None, stop)
        stop.wait(DEADLINE_S)
        self.stopped.set()


class GreyLevels(VideoStreamTrack):
    """A camera whose n-th frame is plain grey of level n modulo 200, so that a frame can be told from its picture."""

    def __init__(self):
        super().__init__()
        self.sent = 0

    async def recv(self):
        await asyncio.sleep(1 / FPS)
        frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), self.sent % 200, np.uint8), format="bgr24")
        frame.pts, frame.time_base = self.sent * 90_000 // FPS, fractions.Fraction(1, 90_000)
        self.sent += 1
        return frame


class Analyzer:
    """Finds no face; takes `seconds` for it, or raises."""

    def __init__(self, seconds=0.0, error=None):
        self.settings = None
        self.seconds = seconds
        self.error = error
        self.levels, self.times_s = [], []

    def process(self, image_bgr, time_s):
        if self.error:
            raise self.error
        time.sleep(self.seconds)
        self.levels.append(int(np.median(image_bgr)))
        self.times_s.append(time_s)
        return FrameResult(
            len(self.levels),
            time_s,
            (160, 120),
            Detections.empty(),
            Prediction(np.empty((0, 7), np.float32), LABELS),
            np.empty(0, np.int64),
        )


class Call:
    """One peer connected to one worker; frames that come back are kept."""

    def __init__(self, loop, session, feed=None):
        self._loop, self._feed = loop, feed
        self.session = session
        self.returned = []
        self.camera = GreyLevels()

    def start(self):
        self.worker = self._on_loop(self._connect())

    @property
    def connected(self):
        return self._peer.connectionState == "connected"

    def stop(self):
        self.worker.stop()
        self._on_loop(self._peer.close())

    def wait_for(self, condition):
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, "the stream did not get there in time"
            time.sleep(0.05)

    def _on_loop(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE_S)

    async def _connect(self):
        nothing_outside = RTCConfiguration(iceServers=[])
        self._peer = RTCPeerConnection(nothing_outside)
        if self._feed:
            self._peer.addTransceiver("video", direction="recvonly")
        else:
            self._peer.addTrack(self.camera)
        self._peer.on("track", lambda track: asyncio.ensure_future(self._watch(track)))
        await self._peer.setLocalDescription(await self._peer.createOffer())
        worker = WebRtcWorker(
            mode=WebRtcMode.RECVONLY if self._feed else WebRtcMode.SENDRECV,
            rtc_configuration=nothing_outside,
            loop=self._loop,
            relay=NewestRelay(),
            source_video_track=None,
            source_audio_track=None,
            sink_video_track=None,
            sink_audio_track=None,
            player_factory=(lambda: FeedPlayer(self._feed)) if self._feed else None,
            in_recorder_factory=None,
            out_recorder_factory=None,
            video_frame_callback=None,
            audio_frame_callback=None,
            queued_video_frames_callback=frames_callback(self.session),
            queued_audio_frames_callback=None,
            on_video_ended=lambda: stream_ended(self.session, Seats(1), self._feed),
            on_audio_ended=None,
            video_processor_factory=None,
            audio_processor_factory=None,
            async_processing=True,
            video_receiver_size=4,
            audio_receiver_size=4,
            sendback_video=True,
            sendback_audio=False,
        )
        offer = self._peer.localDescription
        answer = await asyncio.to_thread(worker.process_offer, offer.sdp, offer.type, DEADLINE_S)
        await self._peer.setRemoteDescription(RTCSessionDescription(answer.sdp, answer.type))
        return worker

    async def _watch(self, track):
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                self.returned.append(frame.to_ndarray(format="bgr24"))


@pytest.fixture(scope="module")
def loop():
    """An event loop on a thread of its own, as a server has one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=DEADLINE_S)
    loop.close()


@pytest.fixture
def call(loop):
    calls = []

    def make(analyzer, feed=None):
        session = LiveSession(lambda settings: analyzer, LiveSettings(mirror=False))
        calls.append(Call(loop, session, feed))
        calls[-1].start()
        return calls[-1]

    yield make
    for made in calls:
        made.stop()


def test_frames_go_through_the_session_and_come_back(call):
    analyzer = Analyzer()
    running = call(analyzer)
    running.wait_for(lambda: len(running.returned) >= 10)
    assert running.returned[-1].shape == (120, 160, 3)
    assert len(analyzer.levels) >= 5
    assert running.session.snapshot().rates.camera_fps > 0


def test_a_slow_analysis_sees_only_the_newest_frame_and_counts_the_rest(call):
    analyzer = Analyzer(seconds=0.5)
    running = call(analyzer)
    running.wait_for(lambda: len(analyzer.levels) >= 7)
    # Frames in a queue would come one grey level after the other; here most levels are never seen.
    seen = analyzer.levels[1:]
    assert seen[-1] - seen[0] >= 2 * (len(seen) - 1)
    rates = running.session.snapshot().rates
    assert rates.camera_fps >= 2 * rates.analysed_fps > 0


def test_an_encoder_that_is_slower_than_the_camera_gets_the_newest_frame(loop):
    async def two_frames():
        camera = GreyLevels()
        relayed = NewestRelay().subscribe(camera)
        first = await relayed.recv()
        while camera.sent < 10:
            await asyncio.sleep(0.01)
        second = await relayed.recv()
        relayed.stop()
        return first.pts, second.pts

    first, second = asyncio.run_coroutine_threadsafe(two_frames(), loop).result(DEADLINE_S)
    assert second - first > 5 * 90_000 / FPS


def test_an_error_in_every_frame_leaves_the_video_running(call):
    running = call(Analyzer(error=ValueError("no such thing")))
    running.wait_for(lambda: running.session.snapshot().error is not None)
    seen = len(running.returned)
    running.wait_for(lambda: len(running.returned) >= seen + 15)
    assert running.session.snapshot().error == "ValueError: no such thing"


def test_stopping_the_worker_ends_the_session_and_its_threads(call):
    before = live_sessions()
    running = call(Analyzer())
    running.wait_for(lambda: running.session.snapshot().live)
    assert live_sessions() == before + 1
    running.worker.stop()
    running.wait_for(lambda: not running.session.snapshot().live)
    assert live_sessions() == before
    running.wait_for(lambda: not [t for t in threading.enumerate() if t.name.startswith("async_media_processor")])


def test_two_viewers_do_not_see_each_other(call):
    first, second = Analyzer(), Analyzer(error=ValueError("only mine"))
    one, two = call(first), call(second)
    one.wait_for(lambda: len(first.levels) >= 5)
    two.wait_for(lambda: two.session.snapshot().error is not None)
    assert one.session.snapshot().error is None
    assert two.session.snapshot().result is None
    two.worker.stop()
    seen = len(first.levels)
    one.wait_for(lambda: len(first.levels) >= seen + 5)


def test_a_frame_that_cannot_be_read_comes_back_as_it_was_and_is_told():
    class Broken:
        width, height = 160, 120

        def to_ndarray(self, format):
            raise MemoryError("no room for a picture")

    session, frame = LiveSession(lambda settings: Analyzer()), Broken()
    # In a thread of its own: the browser of other tests leaves a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, frames_callback(session)([frame])).result(DEADLINE_S) == [frame]
    assert "no room for a picture" in session.snapshot().error


def test_a_clip_goes_the_same_way_with_its_own_time_and_ends_the_stream_and_its_recording(call):
    class Recording:
        times_s, closed = [], False

        def add(self, result, baselines, settings, media):
            self.times_s.append(media.position_s)

        def close(self):
            self.closed = True

        def close_unless_resumed(self, within_s):
            pass

    analyzer, feed, before = Analyzer(), Playing(40), live_sessions()
    running = call(analyzer, feed)
    running.session.recorder = recording = Recording()
    running.wait_for(lambda: recording.closed)
    running.wait_for(lambda: live_sessions() == before)
    assert len(analyzer.levels) >= 20 and running.returned
    # Each at its place in the clip, and analysed at a time as far from the others as that.
    assert recording.times_s == pytest.approx([round((level - 40) / 3) / FPS for level in analyzer.levels])
    assert np.diff(analyzer.times_s) == pytest.approx(np.diff(recording.times_s), abs=1e-6)
    running.worker.stop()


def test_a_camera_that_never_answers_can_be_stopped_and_another_stream_goes_on(call):
    analyzer, silent = Analyzer(), Playing()
    other, waiting = call(analyzer), call(Analyzer(), silent)
    waiting.wait_for(lambda: waiting.connected)
    time.sleep(0.3)
    waiting.stop()
    assert silent.stopped.wait(DEADLINE_S)
    seen = len(analyzer.levels)
    other.wait_for(lambda: len(analyzer.levels) >= seen + 5)
    assert not waiting.session.snapshot().live
