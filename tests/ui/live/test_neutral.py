import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.emotions import LABELS
from fer_core.live.session import LiveSession, LiveSettings
from fer_core.models.card import ModelCard
from fer_core.recognition.baseline import Baseline
from fer_core.sessions.details import Details
from fer_core.sessions.kept_baselines import keep_baseline, kept_baseline
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.types import Detections, FrameResult, Prediction

SCORES = np.array([0.02, 0.02, 0.02, 0.02, 0.3, 0.6, 0.02], np.float32)


class Faces:
    """An analyzer that sees faces, two if nothing else is said."""

    def __init__(self, settings, number=2):
        self.settings, self.number = settings, number

    def process(self, image_bgr, time_s):
        n = self.number
        return FrameResult(
            0,
            time_s,
            image_bgr.shape[1::-1],
            Detections(np.array([[10, 10, 40, 40], [60, 10, 90, 40]], np.float32)[:n], np.ones(n, np.float32)),
            Prediction(np.tile(SCORES, (n, 1)), LABELS),
            np.arange(n),
        )


class Stream:
    """A live session whose clock moves a quarter of a second a frame."""

    def __init__(self):
        self.now_s, self.faces = 0.0, 2
        self.session = LiveSession(lambda settings: Faces(settings, self.faces), clock=lambda: self.now_s)

    def play(self, frames):
        for _ in range(frames):
            self.now_s += 0.25
            self.session.process(np.zeros((60, 160, 3), np.uint8))


def bar():
    import streamlit as st

    from fer_core.ui.live.kept_neutral import kept_note
    from fer_core.ui.live.neutral import neutral_bar

    neutral_bar(st.session_state.session, st.session_state.playing)
    kept_note()


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


@pytest.fixture
def of_participant(stream, monkeypatch, tmp_path):
    """A page of a stream with one face, of a participant."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_DATABASE_URL", raising=False)
    stream.faces = 1
    card = ModelCard("m", "compact", 1, LABELS, files={"model.tflite": "ab"})
    stream.session.settings = LiveSettings(recorded=RecordedSettings(card))
    stream.play(2)

    def page():
        at = AppTest.from_function(bar, default_timeout=60)
        at.session_state.session, at.session_state.playing, at.session_state.neutral = stream.session, True, True
        at.session_state["next_recording"] = Details("pilot", "P1")
        return at.run()

    return page


def captions_of(at):
    return " ".join(caption.value for caption in at.caption)


def test_a_baseline_is_kept_for_the_participant_and_used_in_the_next_stream_until_it_is_removed(stream, of_participant):
    at = of_participant()
    at.toggle(key="neutral_keep").set_value(True).run()
    at.button(key="neutral_set_0").click().run()
    stream.play(16)
    deadline_s = time.monotonic() + 20
    while kept_baseline("pilot", "P1") is None:
        assert time.monotonic() < deadline_s, "it was not kept"
        time.sleep(0.02)
    stream.session.end()
    stream.play(1)
    assert not stream.session.baselines.current
    at = of_participant()
    assert "Neutral baseline of P1, from a stream of 20" in captions_of(at)
    assert "used for whoever is alone in the picture" in captions_of(at)
    stream.play(2)
    at.run()
    (used,) = stream.session.baselines.current.values()
    assert used.frames >= 12 and used.first_s < 10
    assert f"where {used.frames} frames set it." in captions_of(at)
    at.button(key="neutral_forget").click().run()
    assert kept_baseline("pilot", "P1") is None and not stream.session.baselines.current
    assert "Neutral baseline of P1" not in captions_of(at)


def test_a_baseline_of_another_model_s_scores_is_not_used_and_says_why(stream, of_participant):
    baseline = Baseline.of_frames(np.full((1, 7), 1 / 7), LABELS, (0.0,))
    keep_baseline("pilot", "P1", baseline, {"name": "old", "sha256": "cd", "label_set": "fer"}, "2026-03-01 12.00.00")
    at = of_participant()
    stream.play(2)
    assert not stream.session.baselines.current
    assert "from 2026-03-01 12.00.00: not used, see Set neutral" in captions_of(at)
    assert "It was made of scores of old (FER-2013's labels), and cannot be used with those of m" in captions_of(at)
