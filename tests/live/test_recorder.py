"""Sessions as they are recorded, cut off, and read again."""

import dataclasses
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import SessionError
from fer_core.live.recorder import Recorder, Session, list_sessions
from fer_core.live.session import LiveSession
from fer_core.models.calibration import Calibration
from fer_core.models.card import ModelCard
from fer_core.recognition.baseline import Baseline
from fer_core.recognition.table import score_columns
from fer_core.types import Detections, FrameResult, Prediction

CARD = ModelCard("m", "compact", 1, LABELS, calibration={"uncertain_below": 0.5}, files={"model.tflite": "ab"})
BEGAN = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def frame(index, faces=1):
    probs = np.full((faces, 7), 0.05, np.float32)
    probs[:, 3] = 0.7
    return FrameResult(
        index,
        0.0,
        (64, 48),
        Detections(np.full((faces, 4), index, np.float32), np.ones(faces, np.float32)),
        Prediction(probs, LABELS),
        np.arange(faces),
    )


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


def recorder_of(root, clock=None, **settings):
    return Recorder(CARD, LABELS, root, clock or Clock(), lambda: BEGAN, **settings)


def test_what_is_found_becomes_rows_with_times_and_the_rest_is_told(tmp_path):
    clock = Clock()
    recorder = recorder_of(tmp_path, clock, smoothing_s=0.4)
    for index in range(3):
        clock.now_s += 0.25
        recorder.add(frame(index, faces=index))
    assert (recorder.state.rows, recorder.state.seconds, recorder.state.ended) == (4, 0.75, False)
    recorder.close()
    recorder.add(frame(9))
    (session,) = list_sessions(tmp_path)
    assert session.name == "2026-03-01 12.00.00"
    rows = session.rows()
    assert rows["time_s"].tolist() == [0.25, 0.5, 0.75, 0.75]
    assert rows["utc"].iloc[-1] == "2026-03-01T12:00:00.750+00:00"
    assert rows["face"].tolist()[1:] == [1, 1, 2] and rows["face"].isna().tolist() == [True, False, False, False]
    assert rows["expression"].tolist()[1:] == ["happy"] * 3
    metadata = session.metadata()
    assert metadata["model"]["sha256"] == "ab" and metadata["smoothing_s"] == 0.4 and metadata["rows"] == 4
    assert metadata["ended_utc"] == "2026-03-01T12:00:00.750+00:00"


def test_a_session_says_what_faces_were_scored_for_and_uses_its_threshold(tmp_path):
    card = ModelCard("m", "compact", 1, LABELS, files={"model.tflite": "ab"}, label_sets=("people", "fer"))
    card = card.with_calibrations({"people": Calibration(1.5, uncertain_below=0.2), "fer": Calibration(2, 0.1, 0.8)})
    for label_set in (None, "fer"):
        recorder = Recorder(card, LABELS, tmp_path, label_set=label_set)
        recorder.add(frame(0))
        recorder.close()
    newer, older = list_sessions(tmp_path)
    models = [session.metadata()["model"] for session in (older, newer)]
    assert [(model["label_set"], model["temperature"], model["entropy_power"]) for model in models] == [
        ("people", 1.5, 0.0),
        ("fer", 2, 0.1),
    ]
    assert [session.rows()["uncertain"].item() for session in (older, newer)] == ["no", "yes"]  # the best score is 0.7


def test_corrected_scores_are_recorded_beside_raw_ones_with_the_baseline(tmp_path):
    clock = Clock()
    recorder = recorder_of(tmp_path, clock)
    recorder.add(frame(0, faces=2))
    assert [name for name in recorder.session.rows() if name.startswith("corrected")] == []
    plain = frame(1, faces=2)
    baseline = Baseline.of_frames(plain.prediction.probs, LABELS, [98.0, 101.0])
    corrected = np.stack([np.full(7, np.nan), baseline.correct(plain.prediction.probs)[1]])
    clock.now_s += 2
    for index in (1, 2):
        recorder.add(dataclasses.replace(frame(index, faces=2), corrected=corrected), {1: baseline})
    recorder.add(frame(3))
    recorder.close()
    rows, metadata = recorder.session.rows(), recorder.session.metadata()
    assert rows["happy"].tolist() == [0.7] * 7 and set(rows["expression"]) == {"happy"}
    assert rows["corrected_neutral"].isna().tolist() == [True, True, True, False, True, False, True]
    assert rows["corrected_neutral"][3] == pytest.approx(0.8, abs=1e-3)
    assert score_columns(rows) == list(LABELS)
    (entry,) = metadata["baselines"]
    assert (entry["face"], entry["from_s"], entry["frames"]) == (2, 2.0, 2)
    assert (entry["first_s"], entry["last_s"]) == (-2.0, 1.0)
    assert metadata["rows"] == 7 and entry["expected"]["neutral"] == pytest.approx(0.8, abs=1e-4)


def test_another_baseline_of_the_same_face_is_a_further_entry(tmp_path):
    recorder = recorder_of(tmp_path)
    for _ in range(2):
        baseline = Baseline.of_frames(frame(0).prediction.probs, LABELS, [100.0])
        for index in range(2):
            recorder.add(frame(index), {0: baseline})
    assert len(recorder.session.metadata()["baselines"]) == 2


def test_a_table_without_corrections_has_no_columns_for_them_even_cut_off(tmp_path):
    recorder = recorder_of(tmp_path)
    for index in range(3):
        recorder.add(frame(index, faces=index))
    content = recorder.session.table_file.read_bytes()
    recorder.session.table_file.write_bytes(content[:-20])
    head, *rows = recorder.session.table().decode().split("\n")
    assert head.endswith(",surprised") and len(rows) == 4
    assert {row.count(",") for row in rows[:-1]} == {head.count(",")}
    assert recorder.session.rows()["face"].isna().tolist() == [True, False, False]


def test_no_picture_is_kept(tmp_path):
    recorder = recorder_of(tmp_path)
    recorder.add(frame(0))
    recorder.close()
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"table.csv", "about.json"}
    assert b"corrected" not in recorder.session.table_file.read_bytes()  # nobody had a baseline


def test_a_session_that_was_cut_off_keeps_its_whole_rows(tmp_path):
    recorder = recorder_of(tmp_path)
    for index in range(5):
        recorder.add(frame(index))
    session = recorder.session  # never closed, as by a kill
    text = session.table_file.read_bytes()
    session.table_file.write_bytes(text[:-20])
    assert session.rows()["frame"].tolist() == [0, 1, 2, 3]
    assert "ended_utc" not in session.metadata()


def test_a_session_in_which_nothing_came_leaves_nothing(tmp_path):
    recorder_of(tmp_path).close()
    assert list_sessions(tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_sessions_of_one_second_are_told_apart_and_the_newest_comes_first(tmp_path):
    for _ in range(2):
        recorder = recorder_of(tmp_path)
        recorder.add(frame(0))
        recorder.close()
    assert {session.name for session in list_sessions(tmp_path)} == {"2026-03-01 12.00.00", "2026-03-01 12.00.00 (2)"}


def test_a_full_disk_ends_the_recording_in_words_and_keeps_what_there_is(tmp_path):
    recorder = recorder_of(tmp_path)
    recorder.add(frame(0))
    whole = recorder._table

    class Full:
        def add(self, *_):
            raise OSError(28, "No space left on device")

    recorder._table = Full()
    recorder.add(frame(1))
    assert "No space left on device" in recorder.state.error and recorder.state.ended
    recorder._table = whole
    recorder.add(frame(2))
    assert recorder.session.rows()["frame"].tolist() == [0]


def test_a_place_that_cannot_be_written_is_an_error_in_words(tmp_path):
    (tmp_path / "sessions").write_text("a file")
    with pytest.raises(SessionError, match="cannot be recorded"):
        recorder_of(tmp_path / "sessions")


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_broken_metadata_is_named(tmp_path, content):
    session = Session(tmp_path)
    session.metadata_file.write_text(content)
    with pytest.raises(SessionError, match="about.json cannot be read"):
        session.metadata()


def test_a_live_stream_is_recorded_until_it_ends(tmp_path):
    class Analyzer:
        settings = None
        index = 0

        def process(self, image_bgr, time_s):
            self.index += 1
            height, width = image_bgr.shape[:2]
            found = frame(self.index)
            return FrameResult(self.index, time_s, (width, height), found.detections, found.prediction, found.track_id)

    live = LiveSession(lambda settings: Analyzer())
    image = np.zeros((48, 64, 3), np.uint8)
    live.process(image)
    live.recorder = recorder_of(tmp_path)
    for _ in range(3):
        live.process(image)
    live.end()
    assert live.recorder.state.ended
    assert list_sessions(tmp_path)[0].rows()["frame"].tolist() == [2, 3, 4]
    live.process(image)
    assert live.recorder.state.rows == 3
    assert json.loads(list_sessions(tmp_path)[0].metadata_file.read_text())["rows"] == 3
