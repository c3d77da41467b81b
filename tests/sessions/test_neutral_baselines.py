"""Neutral baselines after a session and over sessions: the live page's formula, undone without a trace, one's own."""

import dataclasses
import io
import json
import zipfile
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import SessionError
from fer_core.models.card import ModelCard
from fer_core.recognition.baseline import Baseline
from fer_core.recognition.provenance import model_metadata
from fer_core.sessions.details import Details
from fer_core.sessions.kept_baselines import (
    forget_baseline,
    keep_baseline,
    kept_baseline,
    participants_with_baseline,
)
from fer_core.sessions.later_baselines import baselines_of, clear_baseline, set_baseline
from fer_core.sessions.retention import delete_expired
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.store import list_sessions
from fer_core.sessions.studies import Study, delete_participant, participant_zip, save_study
from fer_core.types import corrected_column
from tests.sessions.recording import BEGAN, CARD, Clock, frame, record, recorder_of

CORRECTED = [corrected_column(label) for label in LABELS]
OTHER = ModelCard("other", "compact", 1, LABELS, calibration={"uncertain_below": 0.5}, files={"model.tflite": "cd"})
MODEL = model_metadata(CARD)


def scored(index, time_s=0.0):
    """A frame with two faces, of which the second is not valid; the first looks angry to sad, differently each time."""
    probs = np.full((2, 7), 0.05, np.float32)
    probs[0, 0], probs[0, 5] = 0.1 + 0.02 * index, 0.6 - 0.02 * index
    result = frame(index, faces=2)
    prediction = dataclasses.replace(result.prediction, probs=probs / probs.sum(axis=1, keepdims=True))
    return dataclasses.replace(result, prediction=prediction, time_s=time_s)


@pytest.fixture
def session(database):
    return record(database, [scored(index) for index in range(12)], details=Details("pilot", "P1"))


def face_rows(rows, face):
    return rows[(rows["face"] == face).fillna(False)]


def baseline_of(rows):
    return Baseline.of_frames(rows[list(LABELS)].to_numpy(np.float32), LABELS, rows["time_s"].to_numpy())


def test_chosen_seconds_correct_a_face_everywhere_and_an_undo_leaves_what_was(session):
    before, csv, first = session.all_rows(unsmoothed=True), session.table(), session.first_rows(5)
    assert not set(CORRECTED) & set(before.columns)
    later = set_baseline(session, 1, 0.25, 0.75)
    assert (later.baseline.frames, later.baseline.first_s, later.baseline.last_s) == (5, 0.3, 0.7)
    rows = session.all_rows(unsmoothed=True)
    pd.testing.assert_frame_equal(rows.drop(columns=CORRECTED), before)
    names = list(rows.columns)
    assert names[names.index(LABELS[-1]) + 1 :][:7] == CORRECTED and names[-1] == f"unsmoothed_{LABELS[-1]}"
    own = face_rows(rows, 1)
    # What the live page would have made of the same frames.
    expected = baseline_of(own[2:7]).correct(own[list(LABELS)].to_numpy())
    np.testing.assert_allclose(own[CORRECTED], expected, atol=1e-6)
    assert face_rows(rows, 2)[CORRECTED].isna().all(axis=None)
    np.testing.assert_array_equal(face_rows(session.short_rows(), 1)[CORRECTED], own[CORRECTED])
    np.testing.assert_array_equal(session.first_rows(5)[CORRECTED], rows[CORRECTED][:5])
    assert "corrected_happy" in session.table().decode().splitlines()[0]
    (told,) = session.metadata()["baselines"]
    assert (told["face"], told["set"], told["first_s"], told["last_s"], told["frames"]) == (
        1,
        "afterwards",
        0.3,
        0.7,
        5,
    )
    clear_baseline(session, 1)
    assert session.table() == csv and "baselines" not in session.metadata()
    pd.testing.assert_frame_equal(session.first_rows(5), first)


def test_other_seconds_take_the_place_of_the_first_and_go_with_the_session(session):
    set_baseline(session, 1, 0.0, 0.6)
    set_baseline(session, 1, 0.6, 1.3)
    assert [(each.face, each.baseline.first_s, each.model["sha256"]) for each in baselines_of(session)] == [
        (1, 0.6, "ab")
    ]
    session.delete()
    assert not baselines_of(session)


def test_seconds_in_which_the_face_is_hardly_valid_are_refused(session):
    for face, first_s, last_s in ((1, 0.0, 0.3), (2, 0.0, 2.0), (3, 0.0, 2.0)):
        with pytest.raises(SessionError, match=rf"face {face} is valid in \d frames; a baseline needs 5 or more"):
            set_baseline(session, face, first_s, last_s)


def test_what_was_corrected_live_is_replaced_and_comes_back(database):
    clock = Clock()
    recorder = recorder_of(database, clock)
    live = Baseline.of_frames(scored(0).prediction.probs[:1], LABELS, (100.0,))
    for index in range(12):
        clock.now_s += 0.1
        result = scored(index)
        corrected = np.vstack([live.correct(result.prediction.probs[:1]), np.full((1, 7), np.nan, np.float32)])
        recorder.add(dataclasses.replace(result, corrected=corrected), {0: live})
    recorder.close(30)
    (session,) = list_sessions(database)
    before = session.all_rows()
    set_baseline(session, 1, 0.6, 1.2)
    own = face_rows(session.all_rows(), 1)
    np.testing.assert_allclose(own[CORRECTED], baseline_of(own[5:]).correct(own[list(LABELS)].to_numpy()), atol=1e-6)
    assert [each.get("set") for each in session.metadata()["baselines"]] == [None, "afterwards"]
    clear_baseline(session, 1)
    pd.testing.assert_frame_equal(session.all_rows(), before)


def test_scores_of_another_model_are_neither_mixed_in_nor_corrected(database):
    clock = Clock()
    recorder = recorder_of(database, clock)
    for index in range(12):
        clock.now_s += 0.1
        recorder.add(scored(index), settings=RecordedSettings(CARD if index < 6 else OTHER))
    recorder.close(30)
    (session,) = list_sessions(database)
    with pytest.raises(SessionError, match="2 models scored the face"):
        set_baseline(session, 1, 0.0, 1.2)
    set_baseline(session, 1, 0.7, 1.2)
    assert face_rows(session.all_rows(), 1)[CORRECTED].isna().all(axis=1).tolist() == [True] * 6 + [False] * 6
    assert session.first_rows(4)[CORRECTED].isna().all(axis=None)


def test_a_kept_baseline_is_the_participant_s_alone_and_only_for_the_same_scores(database, session):
    later = set_baseline(session, 1, 0.25, 0.75)
    keep_baseline("pilot", "P1", later.baseline, later.model, session.name, database)
    assert kept_baseline("pilot", "P2", database) is None and kept_baseline("", "P1", database) is None
    kept = kept_baseline("pilot", "P1", database)
    np.testing.assert_array_equal(kept.baseline.logits, later.baseline.logits)
    assert (kept.baseline.origin, kept.baseline.frames, kept.baseline.first_s) == (session.name, 5, 0.3)
    assert kept.mismatch(MODEL, LABELS) == "" and kept.mismatch({**MODEL, "name": "copy"}, LABELS) == ""
    for change in ({"sha256": "cd"}, {"label_set": "votes"}, {"temperature": 2.0}):
        assert "cannot be used with those of" in kept.mismatch({**MODEL, **change}, LABELS)
    assert "cannot be used" in kept.mismatch(MODEL, LABELS[:6])
    # In another session's words its times stay those of the session that it was made in.
    assert kept.baseline.to_json(500.0)["first_s"] == 0.3
    assert kept.baseline.to_json(500.0)["from_session"] == session.name
    forget_baseline("pilot", "P1", database)
    assert kept_baseline("pilot", "P1", database) is None
    with pytest.raises(SessionError, match="Name one"):
        keep_baseline("pilot", "", later.baseline, later.model, session.name, database)


def test_a_kept_baseline_is_exported_deleted_and_expires_with_the_participant_s_data(database, session):
    baseline = set_baseline(session, 1, 0.25, 0.75).baseline
    for participant in ("P1", "P2"):
        keep_baseline("pilot", participant, baseline, MODEL, session.name, database, BEGAN)
    with zipfile.ZipFile(io.BytesIO(participant_zip("pilot", "P1", database))) as archive:
        exported = json.loads(archive.read("neutral_baseline.json"))
        assert "corrected_happy" in archive.read(f"{session.name}/table.csv").decode()
    assert exported["model"] == MODEL and exported["from_session"] == session.name and len(exported["logits"]) == 7
    delete_participant("pilot", "P1", database)
    assert participants_with_baseline(database) == [("pilot", "P2")]
    save_study(Study("pilot", retention_days=30), database)
    delete_expired(database, BEGAN + timedelta(days=29))
    assert participants_with_baseline(database) == [("pilot", "P2")]
    assert delete_expired(database, BEGAN + timedelta(days=31)) == []
    assert not participants_with_baseline(database)
