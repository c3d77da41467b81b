import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.emotions import LABELS
from fer_core.live.session import LiveSession
from fer_core.types import Detections, FrameResult, Prediction


class TwoFaces:
    """An analyzer that sees two faces."""

    def __init__(self, settings):
        self.settings = settings

    def process(self, image_bgr, time_s):
        return FrameResult(
            0,
            time_s,
            image_bgr.shape[1::-1],
            Detections(np.array([[10, 10, 40, 40], [60, 10, 90, 40]], np.float32), np.ones(2, np.float32)),
            Prediction(np.tile(np.array([0.02, 0.02, 0.02, 0.02, 0.3, 0.6, 0.02], np.float32), (2, 1)), LABELS),
            np.arange(2),
        )


class Stream:
    """A live session whose clock moves a quarter of a second a frame."""

    def __init__(self):
        self.now_s = 0.0
        self.session = LiveSession(TwoFaces, clock=lambda: self.now_s)

    def play(self, frames):
        for _ in range(frames):
            self.now_s += 0.25
            self.session.process(np.zeros((60, 160, 3), np.uint8))


def bar():
    import streamlit as st

    from fer_core.ui.live.neutral import neutral_bar

    neutral_bar(st.session_state.session, st.session_state.playing)


@pytest.fixture
def stream():
    stream = Stream()
    yield stream
    stream.session.end()


def page_of(stream, playing=True):
    at = AppTest.from_function(bar, default_timeout=60)
    at.session_state.session, at.session_state.playing, at.session_state.neutral = stream.session, playing, True
    return at.run()


def captions(at):
    return " ".join(caption.value for caption in at.caption)


def test_a_face_is_set_counted_down_shown_and_cleared(stream):
    stream.play(4)
    at = page_of(stream)
    assert [button.label for button in at.button] == ["Set Face 1 neutral", "Set Face 2 neutral"]
    assert "assume that the face did look neutral" in captions(at)
    at.button(key="neutral_set_1").click().run()
    stream.play(7)
    at.run()
    assert not at.exception
    assert [button.key for button in at.button] == ["neutral_cancel"]
    assert "Face 2: look neutral · 2 s · 7 frames" in str(at.get("progress")[0].proto)
    stream.play(6)
    at.run()
    assert "Set by 13 frames, 0:01 to 0:04 after the camera started" in captions(at)
    assert list(stream.session.baselines.current) == [1]
    at.button(key="neutral_clear_1").click().run()
    assert not stream.session.baselines.current and "Set by" not in captions(at)


def test_it_can_be_cancelled(stream):
    stream.play(1)
    at = page_of(stream)
    at.button(key="neutral_set_0").click().run()
    at.button(key="neutral_cancel").click().run()
    assert stream.session.baselines.state.collecting is None
    assert at.button(key="neutral_set_0")


def test_without_a_stream_there_is_nothing_to_set(stream):
    at = page_of(stream, playing=False)
    assert not at.exception and not at.button
