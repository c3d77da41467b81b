"""The page of recorded sessions: none, some, one that was cut off, one that is broken."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.emotions import LABELS
from fer_core.models.card import ModelCard
from fer_core.recognition.baseline import Baseline
from fer_core.sessions.database import open_database
from fer_core.sessions.recorder import Recorder
from fer_core.sessions.schema import sessions
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.store import list_sessions
from fer_core.sessions.studies import Study, keep_answer
from fer_core.types import Detections, FrameResult, Prediction
from fer_core.ui.components import access

PAGE = Path(__file__).parents[2] / "pages" / "sessions.py"


@pytest.fixture
def page(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_DATABASE_URL", raising=False)
    return AppTest.from_file(PAGE, default_timeout=60)


def record(hour, frames=5, ended=True, baseline=False, picture=False):
    """Record a session: two faces, a tenth of a second from frame to frame; the first may have a baseline."""
    now_s = iter(np.arange(frames + 200) / 10)
    recorder = Recorder(
        RecordedSettings(ModelCard("m", "compact", 1, LABELS)),
        clock=lambda: float(next(now_s)),
        now_utc=lambda: datetime(2026, 3, 1, hour, tzinfo=UTC),
    )
    if picture:
        keep_answer(Study(), "", True, recorder.session, picture=True)
        recorder.keep_video(10**8)
    probs = np.full((2, 7), 0.05, np.float32)
    probs[:, 3] = 0.7
    neutral = Baseline.of_frames(np.tile(probs[:1], (30, 1)), LABELS, np.linspace(-4, -1, 30))
    baselines = {0: neutral} if baseline else {}
    corrected = np.stack([neutral.correct(probs)[0], np.full(7, np.nan)]) if baseline else None
    for index in range(frames):
        recorder.add(
            FrameResult(
                index,
                0.0,
                (64, 48),
                Detections(np.zeros((2, 4), np.float32), np.ones(2, np.float32)),
                Prediction(probs, LABELS),
                np.arange(2),
                corrected=corrected,
            ),
            baselines,
            image_bgr=np.zeros((48, 64, 3), np.uint8),
        )
    recorder.close(30)
    if not ended:
        with open_database().begin() as connection:
            connection.execute(sessions.update().values(ended_ms=None, updated_ms=sessions.c.began_ms))
    return recorder.session.again()


def words_of(at):
    return " ".join(str(element.proto) for element in (*at.markdown, *at.caption, *at.get("html"), *at.error))


def test_a_session_says_what_faces_were_scored_for(page):
    record(12)
    assert "scores: FER-2013" in words_of(page.run())
    assert not page.exception


def test_without_sessions_it_says_how_to_record_one(page):
    page.run()
    assert not page.exception
    assert "No session has been recorded yet" in words_of(page)
    assert "press Record scores" in words_of(page)


def test_the_newest_comes_first_with_its_faces_its_course_and_its_table(page):
    record(9)
    record(10, frames=7)
    page.run()
    assert not page.exception
    assert page.selectbox(key="session").options == ["2026-03-01 10.00.00", "2026-03-01 09.00.00"]
    assert "01 March 2026, 10:00:00 UTC" in words_of(page) and "7 frames" in words_of(page)
    assert "Face 2 · 7 of 7 frames" in words_of(page)
    assert page.get("plotly_chart") and not page.dataframe
    page.session_state["session_tab"] = "Table"
    assert len(page.run().dataframe[0].value) == 14
    assert len(page.get("download_button")) >= 4
    page.selectbox(key="session").select("2026-03-01 09.00.00").run()
    assert len(page.dataframe[0].value) == 10


def test_corrected_scores_can_be_looked_at_and_are_in_the_table(page):
    record(9, baseline=True)
    page.run()
    assert not page.exception
    assert "Face 1: corrected for its neutral face from 0:00 on, set by 30 frames, 3.0 s that began" in words_of(page)
    raw = page.get("plotly_chart")[0].proto.spec
    page.segmented_control(key="scores").set_value("Corrected").run()
    assert not page.exception and page.get("plotly_chart")[0].proto.spec != raw
    page.session_state["session_tab"] = "Table"
    assert "corrected_neutral" in page.run().dataframe[0].value


def test_one_that_was_cut_off_says_so(page):
    record(9, ended=False)
    assert "cut off" in words_of(page.run())


def test_a_session_is_deleted_after_a_question(page):
    record(9)
    record(10)
    page.run().button(key="session_delete_sure").click().run()
    assert not page.exception
    assert [session.name for session in list_sessions()] == ["2026-03-01 09.00.00"]
    assert page.selectbox(key="session").value == "2026-03-01 09.00.00"


def test_a_session_with_a_video_shows_it_with_the_scores_of_its_moment_and_gives_it_away(page):
    video = record(9, picture=True).video()
    page.run()
    assert not page.exception and not page.warning
    assert len(page.get("video")) == 1
    assert "At 0:00" in words_of(page) and not [toggle for toggle in page.toggle if toggle.key == "replay"]
    assert "Happy" in words_of(page)
    page.toggle(key="video_marked").set_value(True).run()
    assert not page.exception
    page.session_state["session_tab"] = "Table"
    assert "session_video" in {button.proto.id.rsplit("-", 1)[-1] for button in page.run().get("download_button")}
    page.button(key="session_delete_sure").click().run()
    assert not page.exception and not video.path.exists()


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"no video")])
def test_a_video_that_is_gone_or_broken_is_said_and_the_rest_is_there(page, harm):
    harm(record(9, picture=True).video().path)
    page.run()
    assert not page.exception and not page.get("video")
    assert "The video of this session cannot be shown: its file" in page.warning[0].value
    assert page.get("plotly_chart") and page.toggle(key="replay")
    page.session_state["session_tab"] = "Table"
    assert len(page.run().dataframe[0].value) == 10 and not page.exception


def test_open_to_a_network_a_viewer_sees_only_its_own_session_and_deletes_none(page, monkeypatch):
    monkeypatch.setattr(access, "is_open_to_network", lambda: True)
    record(9)
    page.session_state["own_sessions"] = {record(10).name}
    page.run()
    assert page.selectbox(key="session").options == ["2026-03-01 10.00.00"]
    assert [text.value.split(" is off")[0] for text in page.info] == ["Seeing what others recorded", "Deleting"]
    assert not [button for button in page.button if button.key == "session_delete_sure"]


def test_a_database_that_cannot_be_read_is_explained(page, tmp_path):
    file = tmp_path / "home" / "sessions" / "sessions.db"
    file.parent.mkdir(parents=True)
    file.write_text("nothing that SQLite wrote" * 100)
    page.run()
    assert not page.exception
    assert "its file is not a database" in page.error[0].value


def test_a_folder_of_an_earlier_version_that_cannot_be_read_is_named(page, tmp_path):
    folder = tmp_path / "home" / "sessions" / "2026-01-01 10.00.00"
    folder.mkdir(parents=True)
    (folder / "table.csv").write_text("nothing,known\n1,2\n")
    page.run()
    assert not page.exception
    assert "2026-01-01 10.00.00/table.csv could not be imported" in page.warning[0].value
    assert "No session has been recorded yet" in words_of(page)
