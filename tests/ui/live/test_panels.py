import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.emotions import LABELS
from fer_core.live.session import LiveSession
from fer_core.types import Detections, FrameResult, Prediction


class Scripted:
    """An analyzer that sees `faces` faces, or raises."""

    def __init__(self, faces=1, error=None):
        self.settings = None
        self.faces = faces
        self.error = error

    def process(self, image_bgr, time_s):
        if self.error:
            raise self.error
        n = self.faces
        boxes = np.array([[10 + 30 * i, 10, 35 + 30 * i, 40] for i in range(n)], np.float32).reshape(-1, 4)
        probs = np.tile(np.array([0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02], np.float32), (n, 1))
        return FrameResult(
            0,
            time_s,
            image_bgr.shape[1::-1],
            Detections(boxes, np.ones(n, np.float32)),
            Prediction(probs, LABELS),
            np.arange(n),
        )


def panels():
    import streamlit as st

    from fer_core.ui.live.panels import cards_room, status_line, timeline
    from fer_core.ui.live.sources import CAMERA, LiveSource

    session, playing = st.session_state.session, st.session_state.playing
    status_line(session, playing, True, cards_room(), st.session_state.get("source", LiveSource(CAMERA)))
    timeline(session, playing, True)


@pytest.fixture
def show():
    """Show the panels of a stream: show(analyzer or None, playing) -> the words on the page."""
    sessions = []

    def run(analyzer, playing=True):
        session = LiveSession(lambda settings: analyzer)
        sessions.append(session)
        if analyzer:
            session.process(np.zeros((60, 160, 3), np.uint8))
        at = AppTest.from_function(panels, default_timeout=60)
        at.session_state.session, at.session_state.playing = session, playing
        at.run()
        assert not at.exception
        return at, " ".join(str(element.proto) for element in at.get("html"))

    yield run
    for session in sessions:
        session.end()


def test_not_started(show):
    _, words = show(None, playing=False)
    assert "not connected" in words
    assert "Faces appear here" in words
    assert "The last minute appears here" in words


def test_started_but_no_frame_yet(show):
    _, words = show(None)
    assert "waiting for the camera" in words and "data-beat" in words  # what the browser watches


@pytest.mark.parametrize(("faces", "text"), [(1, "1 face<"), (2, "2 faces<")])
def test_faces_get_figures_cards_and_a_timeline(show, faces, text):
    at, words = show(Scripted(faces))
    for part in ("connected", "camera fps", "analysed", " ms", text):
        assert part in words
    assert words.count("fer-card") - words.count("fer-cards") == faces
    assert "happy" in words
    charts = [each.proto for each in at.get("bidi_component") if each.proto.component_name == "fer_timeline"]
    shown = json.loads(charts[0].json)
    assert [face["title"] for face in shown["faces"]] == [f"Face {1 + i}" for i in range(faces)]


def test_no_face_says_what_to_do(show):
    _, words = show(Scripted(faces=0))
    assert "0 faces" in words
    assert "No face in the picture" in words


def test_an_error_in_the_stream_is_shown(show):
    at, _ = show(Scripted(error=ValueError("no such thing")))
    assert "ValueError: no such thing" in at.error[0].value
