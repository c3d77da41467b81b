"""Sessions as they are recorded, in both databases: rows, times, settings that change, streams that begin anew."""

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest

from fer_core.emotions import LABELS
from fer_core.live.session import LiveSession, LiveSettings
from fer_core.models.calibration import Calibration
from fer_core.models.card import ModelCard
from fer_core.recognition.baseline import Baseline
from fer_core.recognition.table import Table, read_table, score_columns
from fer_core.sessions.details import Details
from fer_core.sessions.markers import markers_of
from fer_core.sessions.media_time import MediaTime
from fer_core.sessions.rows import read_rows, unpacked
from fer_core.sessions.schema import face_rows
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.store import list_sessions
from fer_core.types import FrameResult
from tests.sessions.recording import BEGAN, CARD, Clock, frame, record, recorder_of


def test_what_is_found_becomes_rows_with_times_and_the_rest_is_told(database):
    clock = Clock()
    recorder = recorder_of(database, clock, smoothing_s=0.4)
    for index in range(3):
        clock.now_s += 0.25
        recorder.add(frame(index, faces=index))
    assert (recorder.state.rows, recorder.state.seconds, recorder.state.ended) == (4, 0.75, False)
    recorder.close(30)
    recorder.add(frame(9))
    (session,) = list_sessions(database)
    assert session.name == "2026-03-01 12.00.00"
    assert (session.rows, session.frames, session.faces, session.length_s) == (4, 3, 2, 0.75)
    rows = session.all_rows()
    assert rows["time_s"].tolist() == [0.25, 0.5, 0.75, 0.75]
    assert rows["utc"].iloc[-1] == "2026-03-01T12:00:00.750+00:00"
    assert rows["face"].tolist()[1:] == [1, 1, 2] and rows["face"].isna().tolist() == [True, False, False, False]
    assert rows["expression"].tolist()[1:] == ["happy"] * 3
    assert rows["not_valid_because"].tolist()[3] == "blurred, dark" and rows["valid"].tolist()[1:] == [
        "yes",
        "yes",
        "no",
    ]
    metadata = session.metadata()
    assert metadata["model"]["sha256"] == "ab" and metadata["smoothing_s"] == 0.4 and metadata["rows"] == 4
    assert metadata["ended_utc"] == "2026-03-01T12:00:00.750+00:00"


def test_a_stream_that_comes_back_in_time_goes_on_in_the_same_session_and_one_that_does_not_ends_it(database):
    clock = Clock()
    recorder = recorder_of(database, clock)
    recorder.add(frame(0))
    recorder.close_unless_resumed(20)
    clock.now_s += 15
    recorder.close_unless_resumed(20)
    assert (recorder.state.ends_in_s, recorder.state.seconds, recorder.state.ended) == (5, 0, False)
    recorder.add(frame(0))
    assert recorder.state.ends_in_s is None
    recorder.close_unless_resumed(20)
    clock.now_s += 20
    recorder._thread.join(30)
    assert recorder.state.ended and recorder.state.saved
    (session,) = list_sessions(database)
    assert (session.rows, session.length_s) == (2, 15) and session.all_rows()["face"].tolist() == [1, 2]


def test_the_table_is_the_one_that_videos_have_digit_for_digit(database):
    frames = [frame(index, faces=index % 3) for index in range(6)]
    session = record(database, frames, step_s=0.0625)
    file = io.StringIO()
    table = Table(file, LABELS, 0.5, BEGAN)
    for number, result in enumerate(frames, 1):
        table.add(session.name, result, number * 0.0625)
    assert session.table().decode() == file.getvalue()
    short = session.short_rows()
    whole = read_table(session.table())
    for name in ("face", "frame", "happy", "time_s"):
        np.testing.assert_allclose(short[name].to_numpy(float), whole[name].to_numpy(float), atol=1e-4)


def test_smoothed_and_unsmoothed_scores_are_kept_with_the_model_of_each_row(database):
    session = record(database, [frame(0)])
    with database.begin() as connection:
        row = connection.execute(face_rows.select()).one()
        assert read_rows(connection, session.name, session.id, LABELS)["happy"].item() == pytest.approx(0.7)
    result = frame(0)
    np.testing.assert_array_equal(unpacked([row.scores], 7), result.prediction.probs)
    np.testing.assert_array_equal(unpacked([row.unsmoothed], 7), result.unsmoothed)
    assert session.models() == [RecordedSettings(CARD).model] and row.corrected is None
    head, line = session.table(unsmoothed=True).decode().splitlines()
    assert head == f"{session.table().decode().splitlines()[0]},{','.join(f'unsmoothed_{each}' for each in LABELS)}"
    assert line.endswith(",0.0500,0.0500,0.0500,0.7000,0.0500,0.0500,0.0500") and line.count(",") == head.count(",")


def test_settings_that_change_are_events_with_a_time(database):
    clock, card = Clock(), dataclasses.replace(CARD, name="other", files={"model.tflite": "cd"})
    before = RecordedSettings(CARD, None, {"mirrored": True, "smoothing_s": 0.3})
    recorder = recorder_of(database, clock, mirrored=True, smoothing_s=0.3)
    changed = RecordedSettings(CARD, None, {"mirrored": False, "smoothing_s": 0.3})
    other = RecordedSettings(card, None, {"mirrored": False, "smoothing_s": 0.0})
    for index, settings in enumerate([before, before, changed, dataclasses.replace(changed), other]):
        clock.now_s += 1
        recorder.add(frame(index), settings=settings)
    recorder.close(30)
    session = recorder.session.again()
    assert [(event["time_s"], event["kind"], event["content"]) for event in session.events()] == [
        (3.0, "settings", {"mirrored": False}),
        (5.0, "settings", {"smoothing_s": 0.0, "model": "other", "sha256": "cd"}),
    ]
    assert session.metadata()["mirrored"] is True and len(session.metadata()["changes"]) == 2
    assert [model["sha256"] for model in session.models()] == ["ab", "cd"]


def test_a_clip_is_recorded_with_its_own_time_wherever_it_was_and_however_late_its_frames_came(database):
    clock = Clock()
    recorder = recorder_of(database, clock)
    baseline = Baseline.of_frames(np.full((2, 7), 1 / 7), LABELS, (clock.now_s + 0.2, clock.now_s + 0.4))
    # The third round of a clip of two seconds, and its fourth.
    for index, (position_s, earlier_s, number) in enumerate([(1.5, 4.0, 3), (1.75, 4.0, 3), (0.0, 6.0, 4)]):
        clock.now_s += 0.4  # the server is late
        result = dataclasses.replace(frame(index), time_s=100.1 + 0.25 * index)
        recorder.add(result, {0: baseline} if index == 1 else {}, None, MediaTime(position_s, earlier_s, number))
    clock.now_s += 0.1
    recorder.mark("here", "button")
    assert recorder.state.seconds == pytest.approx(1.3)
    recorder.close(30)
    (session,) = list_sessions(database)
    rows = session.all_rows()
    assert rows["time_s"].tolist() == [1.5, 1.75, 2.0] and session.length_s == 2.0
    assert rows["utc"].str[-12:-6].tolist() == ["00.400", "00.800", "01.200"]
    assert session.metadata()["ended_utc"] == "2026-03-01T12:00:01.200+00:00"
    clip, used, again = session.events()
    assert (clip["kind"], clip["content"]) == ("clip", {"played_from_s": 1.5})
    assert (again["time_s"], again["content"]) == (2.0, {"played_from_s": 0.0})
    # Set 0.1 and 0.3 s after the first frame of the stream, which was 1.5 s into the clip.
    assert (used["content"]["first_s"], used["content"]["last_s"]) == (1.6, 1.8)
    assert [marker.time_s for marker in markers_of(session)] == [2.1]


def test_another_stream_goes_on_with_other_faces(database):
    session = record(database, [frame(0, 2), frame(1, 2), frame(0, 1), frame(1, 1)])
    rows = session.all_rows()
    assert rows["frame"].tolist() == [0, 0, 1, 1, 2, 3] and rows["face"].tolist() == [1, 2, 1, 2, 3, 3]
    assert session.events()[0]["content"] == {"first_frame": 2, "first_face": 3}
    assert (session.frames, session.faces) == (4, 3)


def test_a_model_of_other_classes_ends_the_recording_in_words(database):
    recorder = recorder_of(database)
    recorder.add(frame(0))
    others = ModelCard("own", "compact", 1, ("calm", "yawning"))
    recorder.add(frame(1), settings=RecordedSettings(others))
    recorder.close(30)
    assert recorder.state.ended and "own scores calm, yawning, and the session was begun for" in recorder.state.error
    assert recorder.session.again().rows == 1 and "own scores" in recorder.session.again().problem


def test_a_session_says_what_faces_were_scored_for_and_uses_its_threshold(database):
    card = ModelCard("m", "compact", 1, LABELS, files={"model.tflite": "ab"}, label_sets=("people", "fer"))
    card = card.with_calibrations({"people": Calibration(1.5, uncertain_below=0.2), "fer": Calibration(2, 0.1, 0.8)})
    clock, people, fer = Clock(), RecordedSettings(card), RecordedSettings(card, "fer")
    recorder = recorder_of(database, clock, card)
    recorder.add(frame(0), settings=people)
    recorder.add(frame(0), settings=fer)
    recorder.close(30)
    session = recorder.session.again()
    assert [(each["label_set"], each["temperature"]) for each in session.models()] == [("people", 1.5), ("fer", 2)]
    assert session.all_rows()["uncertain"].tolist() == ["no", "yes"]  # the best score is 0.7
    assert {"label_set": "fer"} in [event["content"] for event in session.events()]


def test_corrected_scores_are_recorded_beside_raw_ones_with_the_baseline(database):
    clock = Clock()
    recorder = recorder_of(database, clock)
    recorder.add(frame(0, faces=2))
    plain = frame(1, faces=2)
    baseline = Baseline.of_frames(plain.prediction.probs, LABELS, [98.0, 101.0])
    corrected = np.stack([np.full(7, np.nan), baseline.correct(plain.prediction.probs)[1]])
    clock.now_s += 2
    for index in (1, 2):
        recorder.add(dataclasses.replace(frame(index, faces=2), corrected=corrected), {1: baseline})
    recorder.add(frame(3), {1: Baseline.of_frames(plain.prediction.probs, LABELS, [98.0, 101.0])})
    recorder.close(30)
    session = recorder.session.again()
    rows, metadata = read_table(session.table()), session.metadata()
    assert rows["happy"].tolist() == [0.7] * 7 and set(rows["expression"]) == {"happy"}
    assert rows["corrected_neutral"].isna().tolist() == [True, True, True, False, True, False, True]
    assert rows["corrected_neutral"][3] == pytest.approx(0.8, abs=1e-3)
    assert score_columns(rows) == list(LABELS)
    entry, _ = metadata["baselines"]
    assert (entry["face"], entry["from_s"], entry["frames"]) == (2, 2.0, 2)
    assert (entry["first_s"], entry["last_s"]) == (-2.0, 1.0)
    assert entry["expected"]["neutral"] == pytest.approx(0.8, abs=1e-4)


def test_what_a_researcher_said_is_kept_and_can_be_changed(database):
    session = record(database, [frame(0)], details=Details(" pilot ", "P01", tags=("a", "b", "a")))
    assert (session.details.study, session.details.participant, session.details.tags) == ("pilot", "P01", ("a", "b"))
    changed = session.describe(dataclasses.replace(session.details, title="First", notes="calm"))
    assert changed.title == "First · 2026-03-01 12.00.00" and changed.metadata()["notes"] == "calm"


def test_a_session_in_which_nothing_came_leaves_nothing(database):
    recorder_of(database).close(30)
    assert list_sessions(database) == []


def test_sessions_of_one_second_are_told_apart_and_the_newest_comes_first(database):
    for _ in range(2):
        record(database, [frame(0)])
    assert [session.name for session in list_sessions(database)] == ["2026-03-01 12.00.00 (2)", "2026-03-01 12.00.00"]


def test_one_session_is_deleted_with_its_rows_alone(database):
    first, second = (record(database, [frame(0), frame(1)]) for _ in range(2))
    first.delete()
    assert [session.name for session in list_sessions(database)] == [second.name]
    with database.begin() as connection:
        assert len(connection.execute(face_rows.select()).all()) == 2


def test_nothing_of_a_deleted_session_is_left_in_the_file(sqlite):
    session = record(sqlite, [frame(0)], details=Details("pilot", "a-code-to-look-for"))

    def found():
        return b"a-code-to-look-for" in b"".join(path.read_bytes() for path in sqlite.file.parent.iterdir())

    assert found()
    session.delete()
    assert not found()


def test_a_live_stream_is_recorded_until_it_ends(sqlite):
    class Analyzer:
        settings = None
        index = 0

        def process(self, image_bgr, time_s):
            self.index += 1
            found = frame(self.index)
            size_wh = image_bgr.shape[1::-1]
            return FrameResult(self.index, time_s, size_wh, found.detections, found.prediction, found.track_id)

    settings = LiveSettings(recorded=RecordedSettings(CARD, None, {"mirrored": 1}))
    live = LiveSession(lambda _: Analyzer(), settings)
    image = np.zeros((48, 64, 3), np.uint8)
    live.process(image)
    live.recorder = recorder_of(sqlite, mirrored=0)
    for _ in range(3):
        live.process(image)
    live.end()
    live.recorder.close(30)
    assert live.recorder.state.saved
    (session,) = list_sessions(sqlite)
    assert isinstance(session.all_rows(), pd.DataFrame) and session.all_rows()["frame"].tolist() == [2, 3, 4]
    assert session.events()[0]["content"] == {"mirrored": 1}
    live.process(image)
    assert live.recorder.state.rows == 3
