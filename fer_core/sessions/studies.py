"""Studies and participants: consent texts and their answers, how long sessions are kept, all of one person's data."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, select

from fer_core.errors import SessionError
from fer_core.files import NAME_PATTERN
from fer_core.formats import count_text
from fer_core.sessions.database import Database
from fer_core.sessions.kept_baselines import kept_baseline, of_participant
from fer_core.sessions.markers import CODE, EXCLUDED, MARKER, markers_of
from fer_core.sessions.ratings import ratings_csv, ratings_of
from fer_core.sessions.rows import iso_text, ms_of
from fer_core.sessions.schema import consents, kept_baselines, sessions, studies
from fer_core.sessions.store import Session, list_sessions, sessions_database
from fer_core.sessions.videos import remove_unowned

VIDEO_NAME = "video.mp4"
PICTURE_TEXT = (
    "The picture of the camera can be kept too: a video without sound, on the computer that runs this page, {until}, "
    "beside the times and scores."
)


@dataclass(frozen=True)
class Study:
    """What sessions of a study have in common; the one without a name is for sessions of no study.

    Attributes:
        name: of the study.
        consent_text: shown before each recording, which needs a yes to it; nothing is shown if it is empty.
        retention_days: sessions are deleted so many days after they began; None keeps them.

    Raises:
        SessionError: the number of days is not positive.
    """

    name: str = ""
    consent_text: str = ""
    retention_days: int | None = None

    def __post_init__(self) -> None:
        if self.retention_days is not None and self.retention_days < 1:
            raise SessionError(f"Sessions are kept for 1 day or more, got {self.retention_days}. Correct it.")


@dataclass(frozen=True)
class Consent:
    """An answer to a consent text, with the text as it was shown.

    Attributes:
        text: that was shown.
        agreed: whether the answer was a yes.
        answered_utc: when it was given.
        picture: whether the camera's picture may be kept too; None where that was not asked.
    """

    text: str
    agreed: bool
    answered_utc: str
    picture: bool | None = None


def list_studies(database: Database | None = None) -> list[Study]:
    """Return the studies that have settings or sessions, by name; the one without a name first."""
    database = database or sessions_database()
    with database.begin() as connection:
        known = {row.name: Study(**row._mapping) for row in connection.execute(select(studies))}
        named = connection.execute(select(sessions.c.study).distinct()).scalars()
        return [known.get(name, Study(name)) for name in sorted({"", *known, *named})]


def find_study(name: str, database: Database | None = None) -> Study:
    """Return a study's settings, those of a new one if it has none."""
    with (database or sessions_database()).begin() as connection:
        row = connection.execute(select(studies).where(studies.c.name == name)).first()
    return Study(**row._mapping) if row else Study(name)


def save_study(study: Study, database: Database | None = None) -> None:
    """Keep a study's settings in place of those that it had."""
    with (database or sessions_database()).begin() as connection:
        connection.execute(delete(studies).where(studies.c.name == study.name))
        connection.execute(insert(studies), asdict(study))


def keep_answer(
    study: Study,
    participant: str,
    agreed: bool,
    session: Session | None,
    database: Database | None = None,
    now_utc: datetime | None = None,
    picture: bool | None = None,
) -> None:
    """Keep an answer to a study's consent text, with the text; a session is there only after a yes.

    Args:
        study: whose text was shown.
        participant: who answered.
        agreed: whether the answer was a yes.
        session: that is recorded after it.
        database: to keep it in; the one of the settings if None.
        now_utc: when it was given; now if None.
        picture: the answer to whether the picture may be kept too, which `shown_text` then asks; None if it was not
            asked.
    """
    values = {
        "session_id": session and session.id,
        "study": study.name,
        "participant": participant,
        "text": shown_text(study, picture is not None),
        "agreed": agreed,
        "picture": picture,
        "answered_ms": ms_of(now_utc or datetime.now(UTC)),
    }
    with (database or sessions_database()).begin() as connection:
        connection.execute(insert(consents), values)


def shown_text(study: Study, picture: bool) -> str:
    """Return what is shown before a recording of a study.

    Args:
        study: the study.
        picture: whether it asks for the picture too.
    """
    if not picture:
        return study.consent_text
    days = study.retention_days
    until = f"for {count_text(days, 'day')}" if days else "until somebody deletes it"
    return f"{study.consent_text}\n\n{PICTURE_TEXT.format(until=until)}".strip()


def answer_text(consent: Consent) -> str:
    """Return an answer in short, as text."""
    if not consent.agreed:
        return "Declined"
    return {None: "Agreed", False: "Agreed, without the picture", True: "Agreed, with the picture"}[consent.picture]


def consents_of(session: Session) -> list[Consent]:
    """Return the answers that a session was recorded with."""
    return _consents(session.database, consents.c.session_id == session.id)


def participant_sessions(study: str, participant: str, database: Database | None = None) -> list[Session]:
    """Return all sessions of a participant of a study."""
    return [
        session
        for session in list_sessions(database)
        if (session.details.study, session.details.participant) == (study, participant)
    ]


def participant_zip(study: str, participant: str, database: Database | None = None) -> bytes:
    """Return everything that is kept of a participant.

    That is of each session table, metadata, markers, ratings, video; and consents and the neutral baseline.

    Raises:
        SessionError: no participant is named.
    """
    _require_participant(participant)
    database = database or sessions_database()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for session in participant_sessions(study, participant, database):
            archive.writestr(f"{session.name}/table.csv", session.table())
            archive.writestr(f"{session.name}/about.json", _json(session.metadata()))
            archive.writestr(f"{session.name}/markers.csv", markers_csv(session))
            if ratings_of(session):
                archive.writestr(f"{session.name}/ratings.csv", ratings_csv(session))
            if (video := session.video()) and not video.fault:  # what is wrong with it stands in about.json
                archive.write(video.path, f"{session.name}/{VIDEO_NAME}", zipfile.ZIP_STORED)
        answers = [asdict(each) for each in _consents(database, _is_participant(study, participant))]
        archive.writestr("consents.json", _json(answers))
        if kept := kept_baseline(study, participant, database):
            archive.writestr("neutral_baseline.json", _json(kept.to_json()))
    return content.getvalue()


def delete_participant(study: str, participant: str, database: Database | None = None) -> list[Session]:
    """Delete everything that is kept of a participant of a study, all of it or nothing; return what the sessions were.

    Raises:
        SessionError: no participant is named.
    """
    _require_participant(participant)
    database = database or sessions_database()
    deleted = participant_sessions(study, participant, database)
    with database.begin() as connection:
        connection.execute(delete(consents).where(_is_participant(study, participant)))
        connection.execute(delete(kept_baselines).where(of_participant(study, participant)))
        connection.execute(
            delete(sessions).where(and_(sessions.c.study == study, sessions.c.participant == participant))
        )
    database.wipe()
    remove_unowned(database)
    return deleted


def file_name_of(text: str) -> str:
    """Return a name of a file for a participant's code."""
    kept = "".join(each if each.isalnum() or each in "._-" else "_" for each in text)[:60]
    return kept if NAME_PATTERN.fullmatch(kept) else "participant"


def markers_csv(session: Session) -> bytes:
    """Return a session's markers, excluded ranges and coders' codes as CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("time_s", "end_s", "label", "kind", "source"))
    for each in markers_of(session, MARKER, EXCLUDED, CODE):
        writer.writerow((each.time_s, "" if each.end_s is None else each.end_s, each.label, each.kind, each.source))
    return file.getvalue().encode("utf-8")


def _consents(database: Database, condition: ColumnElement[bool]) -> list[Consent]:
    with database.begin() as connection:
        rows = connection.execute(select(consents).where(condition).order_by(consents.c.id))
        return [Consent(row.text, row.agreed, iso_text(row.answered_ms), row.picture) for row in rows]


def _is_participant(study: str, participant: str) -> ColumnElement[bool]:
    return and_(consents.c.study == study, consents.c.participant == participant)


def _require_participant(participant: str) -> None:
    if not participant:
        raise SessionError("Sessions without a participant belong to nobody. Name a participant.")


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)
