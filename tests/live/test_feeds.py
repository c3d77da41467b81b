"""Clips and network cameras as feeds: real files, and real servers on loopback."""

import http.server
import shutil
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from fractions import Fraction

import numpy as np
import pytest

from fer_core.imaging.video import write_video
from fer_core.live.feeds.clip import ClipFeed
from fer_core.live.feeds.network import CameraFeed, camera_feed
from fer_core.settings import NetworkCamera
from tests.live.camera_servers import free_port, http_camera, rtsp_camera

PATIENCE_S = 40
TOLD_S = 5.0  # a camera that is lost is told of within this
BUSY_S = 5.0  # so much more on a machine that is busy with other tests


def write_clip(path, frames, rate, size_wh=(320, 240)):
    with write_video(path, Fraction(rate)) as writer:
        for index in range(frames):
            writer.write(np.full((size_wh[1], size_wh[0], 3), 40 + 4 * (index % 40), np.uint8), index / rate)
    return path


class Viewer:
    """Keeps what a feed gives."""

    def __init__(self, feed):
        self.feed, self.frames, self.ended = feed, [], False
        self.leave = feed.subscribe(self._receive)

    def _receive(self, frame):
        if frame is None:
            self.ended = True
        else:
            self.frames.append(frame)


def wait_for(condition):
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """One second and a fifth, 25 frames a second."""
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", 30, 25)


@pytest.fixture
def look():
    viewers = []

    def one(feed):
        viewers.append(Viewer(feed))
        return viewers[-1]

    yield one
    for viewer in viewers:
        viewer.leave()


def test_a_clip_is_played_at_its_own_speed_and_ends(clip, look):
    feed = ClipFeed(clip, "clip.mp4")
    began_s = time.monotonic()
    viewer = look(feed)
    wait_for(lambda: viewer.ended)
    assert time.monotonic() - began_s >= 1.19
    # Every second one: 25 a second are more than is shown of a camera.
    assert [frame.media.position_s for frame in viewer.frames] == pytest.approx(np.arange(0, 1.2, 0.08), abs=0.001)
    assert feed.ended and not feed.problem
    levels = [int(np.median(frame.image_bgr)) for frame in viewer.frames]
    assert levels == sorted(levels) and len(set(levels)) == len(levels)
    feed.rewind()
    again = look(feed)
    wait_for(lambda: again.frames)
    assert again.frames[0].media.position_s == 0.0 and not feed.ended


def test_a_clip_in_a_loop_goes_on_and_its_rounds_are_counted(tmp_path, look):
    feed = ClipFeed(write_clip(tmp_path / "short.mp4", 5, 10), "short.mp4", loop=True)
    viewer = look(feed)
    wait_for(lambda: len(viewer.frames) >= 12)
    feed.loop = False
    wait_for(lambda: viewer.ended)
    rounds = [frame.media for frame in viewer.frames[:12]]
    assert [media.round for media in rounds] == [1] * 5 + [2] * 5 + [3] * 2
    assert [media.played_s for media in rounds] == pytest.approx(np.arange(12) / 10, abs=0.001)
    assert [media.position_s for media in rounds[5:7]] == pytest.approx([0.0, 0.1], abs=0.001)


def test_a_clip_waits_while_nobody_looks_and_goes_on_where_it_was(clip, look):
    feed = ClipFeed(clip, "clip.mp4")
    first = look(feed)
    wait_for(lambda: len(first.frames) >= 4)
    first.leave()
    time.sleep(0.3)  # it must not go on meanwhile
    seen = len(first.frames)
    second = look(feed)
    wait_for(lambda: second.ended)
    assert len(first.frames) == seen and not first.ended
    positions = [frame.media.position_s for frame in (*first.frames, *second.frames)]
    assert positions == pytest.approx(np.arange(0, 1.2, 0.08), abs=0.001)


def test_large_pictures_are_made_smaller_and_fast_ones_thinned(tmp_path, look):
    viewer = look(ClipFeed(write_clip(tmp_path / "large.mp4", 30, 60, (1280, 720)), "large.mp4"))
    wait_for(lambda: viewer.ended)
    assert viewer.frames[0].image_bgr.shape == (540, 960, 3)
    assert len(viewer.frames) == 10


def test_a_clip_that_is_cut_off_is_played_as_far_as_it_goes_and_the_rest_explained(tmp_path, look):
    whole = write_clip(tmp_path / "whole.mpg", 30, 25)
    cut = tmp_path / "cut.mpg"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    feed = ClipFeed(cut, "cut.mpg", loop=True)
    viewer = look(feed)
    wait_for(lambda: viewer.ended)
    assert feed.ended and "cut.mpg" in feed.problem


@pytest.fixture
def ffmpeg():
    if not shutil.which("ffmpeg"):
        pytest.skip("no ffmpeg found; on Debian or Ubuntu install it with: apt-get install ffmpeg")


@pytest.mark.usefixtures("ffmpeg")
@pytest.mark.parametrize("form", ["mpegts", "mpjpeg"])
def test_a_camera_that_goes_is_told_of_and_comes_back_by_itself(clip, look, form):
    port = free_port()
    url = f"http://127.0.0.1:{port}/stream"
    feed = camera_feed(NetworkCamera("Lab", url))
    assert camera_feed(NetworkCamera("Lab", url)) is feed
    with http_camera(clip, form, port):  # it serves one client; both viewers share it
        one, two = look(feed), look(feed)
        wait_for(lambda: len(one.frames) >= 10 and len(two.frames) >= 10)
        assert not feed.problem
        assert one.frames[-1].image_bgr.shape == (240, 320, 3)
    gone_s = time.monotonic()
    wait_for(lambda: feed.problem)
    assert time.monotonic() - gone_s < TOLD_S + BUSY_S
    assert feed.problem.startswith("Lab has sent no picture for ") and "Trying again" in feed.problem
    two.leave()
    seen = len(one.frames), len(two.frames)
    with http_camera(clip, form, port):
        wait_for(lambda: len(one.frames) >= seen[0] + 5)
        assert not feed.problem
    assert len(two.frames) == seen[1]


@pytest.mark.usefixtures("ffmpeg")
def test_an_rtsp_camera_shows_its_pictures_to_who_knows_the_password(clip, look, tmp_path):
    with rtsp_camera(clip, tmp_path, "open sesame".replace(" ", "")) as place:
        stranger = CameraFeed(NetworkCamera("Door", f"rtsp://viewer:wrongword@{place}"))
        look(stranger)
        wait_for(lambda: stranger.problem)
        assert "refuses the name or the password" in stranger.problem
        viewer = look(CameraFeed(NetworkCamera("Door", f"rtsp://viewer:opensesame@{place}")))
        wait_for(lambda: len(viewer.frames) >= 5)
        times_s = [frame.time_s for frame in viewer.frames]
        assert times_s == sorted(times_s) and viewer.frames[0].media is None


@contextmanager
def web_server(status):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<html>nothing to see</html>" * 100)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def silent_server():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("server", "scheme", "words"),
    [
        (silent_server, "http", "It does not answer"),
        (silent_server, "rtsp", "It does not answer"),
        (lambda: web_server(200), "http", "what it sends is no video"),
        (lambda: web_server(401), "http", "refuses the name or the password"),
        (lambda: web_server(404), "http", "has nothing under this address"),
        (None, "http", "refuses the connection"),
    ],
)
def test_a_camera_that_cannot_be_read_is_explained_without_its_password(look, caplog, server, scheme, words):
    with ExitStack() as running:
        port = running.enter_context(server()) if server else free_port()
        feed = CameraFeed(NetworkCamera("Lab", f"{scheme}://viewer:secretword@127.0.0.1:{port}/stream"))
        began_s = time.monotonic()
        look(feed)
        wait_for(lambda: feed.problem)
        assert time.monotonic() - began_s < TOLD_S + BUSY_S
        assert words in feed.problem
        assert "secretword" not in feed.problem + caplog.text and str(port) not in feed.problem + caplog.text
    assert "secretword" not in repr(NetworkCamera("Lab", "rtsp://viewer:secretword@host/"))
