"""The live page's recording: details, consent, the record button, and what it says when the database fails."""

import shutil
import sqlite3
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.live.session import LiveSession, LiveSettings
from fer_core.sessions import database as database_module
from fer_core.sessions import recorder as recording
from fer_core.sessions import videos
from fer_core.sessions.database import open_database
from fer_core.sessions.details import Details
from fer_core.sessions.schema import consents
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.store import list_sessions
from fer_core.sessions.studies import Study, consents_of, save_study
from fer_core.types import FrameResult
from tests.sessions.recording import CARD, frame


class Analyzer:
    settings = None
    index = 0

    def process(self, image_bgr, time_s):
        self.index += 1
        found = frame(self.index)
        return FrameResult(
            self.index, time_s, image_bgr.shape[1::-1], found.detections, found.prediction, found.track_id
        )


def bar():
    import streamlit as st

    from fer_core.ui.live.markers import marker_bar
    from fer_core.ui.live.recording import recording_bar
    from fer_core.ui.live.session_details import details_popover

    max_video_mb = st.session_state.get("max_video_mb", 100)
    details_popover(st.session_state.session, max_video_mb)
    recording_bar(st.session_state.session, None, True, max_video_mb)
    marker_bar(st.session_state.session)


@pytest.fixture
def live(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    monkeypatch.delenv("FER_DATABASE_URL", raising=False)
    monkeypatch.setattr("fer_core.ui.live.recording.page_link", lambda *_: None)  # there is no other page here
    live = LiveSession(lambda _: Analyzer(), LiveSettings(recorded=RecordedSettings(CARD)))
    live.process(np.zeros((48, 64, 3), np.uint8))
    yield live
    live.end()
    if live.recorder:
        live.recorder.close(30)


@pytest.fixture
def at(live):
    at = AppTest.from_function(bar, default_timeout=30)
    at.session_state["session"] = live
    return at.run()


def play(live, frames=3):
    for _ in range(frames):
        live.process(np.zeros((48, 64, 3), np.uint8))


def wait_until(condition):
    end_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end_s, "it did not get there in time"
        time.sleep(0.02)


def keys(at):
    return {button.key for button in at.button}


def test_a_recording_has_the_details_and_markers_are_there_only_meanwhile(live, at):
    assert keys(at) == {"record_start"}
    at.text_input(key="next study").set_value("pilot").run()
    at.text_input(key="next participant").set_value("P1").run()
    at.button(key="record_start").click().run()
    assert not at.exception and {"record_stop", "marker_point", "marker_range"} <= keys(at)
    assert "next study" not in {field.key for field in at.text_input}
    play(live)
    at.button(key="record_stop").click().run()
    assert not at.exception and keys(at) == {"record_start"}
    (session,) = list_sessions()
    assert session.details == Details("pilot", "P1") and session.rows == 3
    assert at.session_state["own_sessions"] == {session.name}


def test_a_recording_waits_for_a_camera_that_broke_off_and_says_how_long(live, at):
    at.button(key="record_start").click().run()
    play(live)
    live.end()
    at.run()
    assert "ends in 20 s unless the camera comes back" in at.caption[0].value
    play(live)
    at.run()
    assert at.caption[0].value.startswith("Recording · ")
    live.recorder.close(30)
    at.run()
    assert keys(at) == {"record_start"} and any(caption.value.startswith("Kept: ") for caption in at.caption)


def test_a_consent_text_comes_first_and_its_answer_is_kept(live, at):
    save_study(Study("", "May we record your scores?"))
    at.button(key="record_start").click().run()
    assert at.text[0].value == "May we record your scores?" and live.recorder is None
    at.button(key="consent_no").click().run()
    assert not at.text and live.recorder is None and not list_sessions()
    at.button(key="record_start").click().run()
    at.button(key="consent_yes").click().run()
    play(live)
    at.button(key="record_stop").click().run()
    assert not at.exception
    assert [(each.text, each.agreed) for each in consents_of(list_sessions()[0])] == [
        ("May we record your scores?", True)
    ]
    with open_database().begin() as connection:
        assert [row.agreed for row in connection.execute(consents.select())] == [False, True]


def test_the_picture_is_kept_only_where_it_is_asked_for_and_agreed_to(live, at):
    save_study(Study("", "May we record your scores?"))
    assert at.toggle(key="keep_picture").value is False
    at.toggle(key="keep_picture").set_value(True).run()
    for answer, kept in (("consent_yes", False), ("consent_picture", True)):
        at.button(key="record_start").click().run()
        assert "May we record your scores?" in at.text[0].value and "The picture of the camera can" in at.text[0].value
        at.button(key=answer).click().run()
        play(live)
        live.recorder._video and wait_until(lambda: live.recorder.state.video.frames == 3)
        at.run()
        assert at.caption[0].value.endswith(" · video") is kept
        at.button(key="record_stop").click().run()
        assert not at.exception
        session = list_sessions()[0]
        assert bool(session.video()) is kept and consents_of(session)[0].picture is kept
    assert session.video().frames == 3 and any("rows, with video." in caption.value for caption in at.caption)
    at.button(key="record_start").click().run()
    at.button(key="consent_no").click().run()
    assert len(list_sessions()) == 2


def test_a_video_that_ends_is_told_while_the_scores_go_on(live, at, monkeypatch):
    monkeypatch.setattr(videos.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    at.toggle(key="keep_picture").set_value(True).run()
    at.button(key="record_start").click().run()
    at.button(key="consent_picture").click().run()
    play(live)
    wait_until(lambda: live.recorder.state.video.problem)
    play(live)
    at.run()
    assert "The picture is kept no longer: less than 500 MB of the disk are left." in at.warning[0].value
    assert at.caption[0].value.startswith("Recording · ") and at.caption[0].value.endswith("6 rows")


def test_the_picture_is_not_offered_where_no_video_may_be_kept(live, at):
    at.toggle(key="keep_picture").set_value(True).run()
    at.session_state["max_video_mb"] = 0
    at.run()
    assert not at.toggle
    at.button(key="record_start").click().run()
    assert not at.text and live.recorder.state.video is None


def test_a_database_that_fails_is_told_on_the_page(live, at, monkeypatch):
    monkeypatch.setattr(recording, "WRITE_EVERY_S", 0.05)
    monkeypatch.setattr(database_module, "BUSY_S", 0.1)
    at.button(key="record_start").click().run()
    other = sqlite3.connect(open_database().file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    play(live)
    end_s = time.monotonic() + 30
    while not live.recorder.state.problem and time.monotonic() < end_s:
        time.sleep(0.02)
    assert "Recording is paused: another program has locked it" in at.run().warning[0].value
    other.rollback()
    other.close()
    at.button(key="record_stop").click().run()
    assert not at.warning and list_sessions()[0].rows == 3


def test_a_place_that_cannot_be_written_is_told_on_the_page(live, at, tmp_path):
    (tmp_path / "sessions").write_text("a file")
    at.button(key="record_start").click().run()
    assert not at.exception and "its folder cannot be made" in at.error[0].value and live.recorder is None
