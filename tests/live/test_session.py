import dataclasses
import threading
from typing import ClassVar

import numpy as np
import pytest

from fer_core.annotate import AnnotateOptions
from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.live.governor import Governor
from fer_core.live.session import (
    COMES_BACK_WITHIN_S,
    ERROR_SHOWN_S,
    LiveSession,
    LiveSettings,
    live_sessions,
)
from fer_core.recognition.pipeline import StreamSettings
from fer_core.types import Detections, FrameResult, Prediction


class Clock:
    """A clock that moves only when told to."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class OneFace:
    """An analyzer that sees the same face in every frame, and raises `error` while it is set."""

    def __init__(self, settings=None):
        self.settings = settings
        self.error = None
        self.images = []

    def process(self, image_bgr, time_s):
        if self.error:
            raise self.error
        self.images.append(image_bgr)
        probs = np.array([[0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02]], np.float32)
        box = np.array([[10, 10, 60, 60]], np.float32)
        return FrameResult(
            len(self.images),
            time_s,
            image_bgr.shape[1::-1],
            Detections(box, np.ones(1, np.float32)),
            Prediction(probs, LABELS),
            np.zeros(1, np.int64),
        )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def analyzers():
    return []


@pytest.fixture
def session(clock, analyzers):
    def new_analyzer(settings):
        analyzers.append(OneFace(settings))
        return analyzers[-1]

    session = LiveSession(new_analyzer, LiveSettings(mirror=False), clock)
    yield session
    session.end()


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)


def test_a_frame_comes_back_annotated_and_the_snapshot_has_its_result(session, frame):
    drawn = session.process(frame)
    assert drawn.shape == frame.shape
    assert not np.array_equal(drawn, frame)
    snapshot = session.snapshot()
    assert snapshot.result.prediction.top == ["happy"]
    np.testing.assert_array_equal(snapshot.image_bgr, frame)


def test_the_camera_s_frame_is_left_as_it_was(session, frame):
    before = frame.copy()
    session.process(frame)
    np.testing.assert_array_equal(frame, before)


def test_mirror_flips_before_the_analysis_so_that_boxes_fit(session, frame, analyzers):
    session.settings = LiveSettings(mirror=True, draw=AnnotateOptions(boxes=False, words=False))
    drawn = session.process(frame)
    np.testing.assert_array_equal(analyzers[0].images[0], frame[:, ::-1])
    np.testing.assert_array_equal(drawn, frame[:, ::-1])


def test_a_lowered_resolution_is_undone_so_that_faces_keep_their_place(session, frame, analyzers):
    session.process(frame)
    assert session.process(frame[::2, ::2]).shape == frame.shape
    assert analyzers[0].images[1].shape == frame.shape


@pytest.mark.parametrize("shape", [(192, 256, 3), (128, 96, 3)], ids=["larger", "turned"])
def test_another_picture_keeps_its_own_size(session, frame, shape):
    session.process(frame)
    assert session.process(np.zeros(shape, np.uint8)).shape == shape


def test_settings_reach_the_running_analyzer(session, frame, analyzers):
    session.process(frame)
    session.settings = LiveSettings(stream=StreamSettings(min_face_px=120))
    session.process(frame)
    assert len(analyzers) == 1
    assert analyzers[0].settings.min_face_px == 120


def test_an_error_is_shown_and_the_video_goes_on(session, frame, analyzers):
    session.process(frame)
    analyzers[0].error = ValueError("no such thing")
    assert session.process(frame) is frame
    assert session.snapshot().error == "ValueError: no such thing"
    analyzers[0].error = None
    assert session.process(frame) is not frame


def test_an_error_stays_readable_for_a_while_then_goes(session, frame, analyzers, clock):
    session.process(frame)
    analyzers[0].error = ModelError("The network is gone.")
    session.process(frame)
    analyzers[0].error = None
    session.process(frame)
    assert session.snapshot().error == "The network is gone."
    clock.now_s += ERROR_SHOWN_S + 1
    assert session.snapshot().error is None


def test_the_same_error_is_logged_once(session, frame, analyzers, caplog):
    session.process(frame)
    analyzers[0].error = ValueError("no such thing")
    for _ in range(5):
        session.process(frame)
    assert caplog.text.count("Traceback") == 1


def test_an_analyzer_that_cannot_be_made_is_an_error_too(frame, clock):
    def broken(settings):
        raise ModelError("No model.")

    session = LiveSession(broken, clock=clock)
    assert session.process(frame) is frame
    assert session.snapshot().error == "No model."
    assert not session.snapshot().live


def test_rates_tell_camera_frames_from_analysed_ones(session, frame, clock):
    for _ in range(30):
        clock.now_s += 0.1
        session.process(frame, delivered=3)
    rates = session.snapshot().rates
    assert rates.analysed_fps == pytest.approx(10, abs=0.6)
    assert rates.camera_fps == pytest.approx(30, abs=1.6)


def test_the_snapshot_holds_the_last_minute(session, frame, clock):
    for _ in range(100):
        clock.now_s += 1.0
        session.process(frame)
    history = session.snapshot().history
    assert len(history) == 61
    assert history[-1].probs[0][LABELS.index("happy")] == pytest.approx(0.88)


def test_a_stream_lives_from_its_first_frame_to_its_end(session, frame):
    before = live_sessions()
    assert not session.snapshot().live
    session.process(frame)
    assert session.snapshot().live
    assert live_sessions() == before + 1
    session.end()
    session.end()
    assert not session.snapshot().live
    assert live_sessions() == before


def test_a_new_stream_starts_from_nothing(session, frame, analyzers):
    session.process(frame)
    session.end()
    session.process(frame)
    assert len(analyzers) == 2
    assert len(session.snapshot().history) == 1


def test_another_model_analyses_from_the_next_frame_on(session, frame, analyzers):
    session.process(frame)
    others = []
    session.use(lambda settings: others.append(OneFace(settings)) or others[-1], "other")
    session.process(frame)
    assert len(analyzers) == len(others) == 1
    assert session.snapshot().live


def test_the_same_model_again_does_not_interrupt_the_stream(session, frame, analyzers):
    session.use(session._new_analyzer, "model")
    session.process(frame)
    session.use(OneFace, "model")  # loaded anew, but the same
    session.process(frame)
    assert len(analyzers) == 1


def test_a_model_and_its_settings_change_together_and_the_recording_goes_on(session, frame, analyzers):
    class Noting:
        noted: ClassVar[list] = []

        def add(self, result, baselines, settings, **_):
            self.noted.append((result.index, settings))

        def close_unless_resumed(self, within_s):
            self.noted.append(within_s)

    people, fer = (LiveSettings(stream=StreamSettings(label_set=name), recorded=name) for name in ("people", "fer"))
    session.use(session._new_analyzer, ("model", "people"), people)
    session.recorder = Noting()
    session.process(frame)
    session.use(session._new_analyzer, ("model", "people"), dataclasses.replace(people, mirror=True))
    session.process(frame)
    assert len(analyzers) == 1
    session.use(session._new_analyzer, ("model", "fer"), fer)
    session.process(frame)
    assert [analyzer.settings.label_set for analyzer in analyzers] == ["people", "fer"]
    session.end()
    assert Noting.noted == [(1, "people"), (2, "people"), (1, "fer"), COMES_BACK_WITHIN_S]
    session.recorder = None


def test_reading_and_setting_while_frames_run_never_breaks(session, frame):
    stop = threading.Event()

    def camera():
        while not stop.is_set():
            session.process(frame)

    thread = threading.Thread(target=camera)
    thread.start()
    try:
        for size in range(40, 240):
            session.settings = LiveSettings(stream=StreamSettings(min_face_px=size), mirror=size % 2 == 0)
            snapshot = session.snapshot()
            assert (snapshot.result is None) == (snapshot.image_bgr is None)
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()
    assert session.snapshot().error is None


def test_frames_that_the_governor_leaves_out_show_what_was_found_before_and_the_stream_says_so(clock):
    analyzer, governor = OneFace(), Governor(cores=0.5)
    slow = OneFace.process

    class Slow(OneFace):
        def process(self, image_bgr, time_s):
            result = slow(analyzer, image_bgr, time_s)
            clock.now_s += 0.05
            return result

    session = LiveSession(lambda settings: Slow(), clock=clock, governor=governor, cpu_clock=clock)
    image, drawn = np.zeros((120, 160, 3), np.uint8), []
    for number in range(150):
        clock.now_s = 100 + number / 15
        drawn.append(session.process(image))
    rates = session.snapshot().rates
    assert rates.camera_fps == pytest.approx(15, abs=1)
    assert rates.analysed_fps == pytest.approx(0.25 / 0.05, abs=1)
    assert session.snapshot().limited
    assert all(picture.any() for picture in drawn)  # boxes on each
    session.end()
    assert governor.target_fps(clock.now_s) == np.inf
