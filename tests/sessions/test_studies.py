"""Studies, consents, retention, and all of a participant's data in one step."""

import io
import json
import zipfile
from datetime import timedelta

import pytest

from fer_core.errors import SessionError
from fer_core.sessions.details import Details
from fer_core.sessions.markers import CODE, Marker, add_markers
from fer_core.sessions.retention import delete_expired
from fer_core.sessions.schema import consents, face_rows, sessions
from fer_core.sessions.store import list_sessions
from fer_core.sessions.studies import (
    Study,
    consents_of,
    delete_participant,
    find_study,
    keep_answer,
    list_studies,
    participant_zip,
    save_study,
)
from tests.sessions.recording import BEGAN, frame, record


def session_of(database, participant, study="pilot", began=BEGAN):
    return record(database, [frame(0), frame(1)], details=Details(study, participant), began=began)


def rows_of(database, table):
    with database.begin() as connection:
        return connection.execute(table.select()).all()


def test_a_study_keeps_its_settings_and_is_known_by_its_sessions_too(database):
    session_of(database, "P1", "other")
    save_study(Study("pilot", "May we?", 30), database)
    save_study(Study("pilot", "May we record?", 90), database)
    assert list_studies(database) == [Study(), Study("other"), Study("pilot", "May we record?", 90)]
    assert find_study("pilot", database).retention_days == 90 and find_study("new", database) == Study("new")


def test_a_consent_is_kept_with_its_text_and_answer(database):
    study, session = Study("pilot", "May we?"), session_of(database, "P1")
    keep_answer(study, "P1", True, session, database, BEGAN)
    keep_answer(study, "P2", False, None, database)
    (consent,) = consents_of(session)
    assert (consent.text, consent.agreed, consent.answered_utc) == ("May we?", True, "2026-03-01T12:00:00.000+00:00")
    session.delete()
    assert [(row.participant, row.agreed) for row in rows_of(database, consents)] == [("P2", False)]


def test_sessions_are_deleted_when_their_time_is_over(database):
    save_study(Study("pilot", "", 30), database)
    old = session_of(database, "P1")
    new = session_of(database, "P1", began=BEGAN + timedelta(days=20))
    session_of(database, "P1", "kept")
    keep_answer(Study("pilot", "May we?"), "P3", False, None, database, BEGAN)
    with database.begin() as connection:  # as if their recorders had written last when they ended
        connection.execute(sessions.update().values(updated_ms=sessions.c.began_ms))
    assert delete_expired(database, BEGAN + timedelta(days=29)) == []
    assert delete_expired(database, BEGAN + timedelta(days=31)) == [old.name]
    assert {session.details.study for session in list_sessions(database)} == {"pilot", "kept"}
    assert new.name in {session.name for session in list_sessions(database)} and rows_of(database, consents) == []


def test_all_of_a_participant_s_data_is_exported_and_deleted_in_one_step(database):
    first, second = session_of(database, "P1"), session_of(database, "P1")
    session_of(database, "P2")
    session_of(database, "P1", "other")
    add_markers(first, [Marker(1.0, "film", 2.0), Marker(0.5, "happy", 0.7, CODE, "Ann")])
    keep_answer(Study("pilot", "May we?"), "P1", True, first, database)
    with zipfile.ZipFile(io.BytesIO(participant_zip("pilot", "P1", database))) as archive:
        names = {
            f"{each.name}/{file}" for each in (first, second) for file in ("table.csv", "about.json", "markers.csv")
        }
        assert set(archive.namelist()) == {*names, "consents.json"}
        assert archive.read(f"{first.name}/table.csv") == first.table()
        assert archive.read(f"{first.name}/markers.csv").decode().splitlines()[1:] == [
            "0.5,0.7,happy,code,Ann",
            "1.0,2.0,film,marker,page",
        ]
        assert json.loads(archive.read("consents.json"))[0]["agreed"] is True
    assert {session.name for session in delete_participant("pilot", "P1", database)} == {first.name, second.name}
    left = [(session.details.study, session.details.participant) for session in list_sessions(database)]
    assert sorted(left) == [("other", "P1"), ("pilot", "P2")]
    assert rows_of(database, consents) == [] and len(rows_of(database, face_rows)) == 4


@pytest.mark.parametrize("step", [participant_zip, delete_participant])
def test_nobody_is_no_participant(sqlite, step):
    with pytest.raises(SessionError, match="Name a participant"):
        step("pilot", "", sqlite)


def test_no_days_are_no_retention():
    with pytest.raises(SessionError, match="1 day or more, got 0"):
        Study("pilot", "", 0)
