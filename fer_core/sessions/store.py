"""The recorded sessions: listed, found, read, described and deleted."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sqlalchemy import delete, insert, select, update

from fer_core.errors import SessionError
from fer_core.recognition.provenance import metadata
from fer_core.sessions.database import Database, DatabaseError, open_database
from fer_core.sessions.details import Details
from fer_core.sessions.importing import import_folders
from fer_core.sessions.later_baselines import baselines_of, with_corrected
from fer_core.sessions.retention import delete_expired
from fer_core.sessions.rows import csv_of, datetime_of, iso_text, ms_of, names_from, read_head, read_rows, read_short
from fer_core.sessions.schema import RATINGS, events, face_rows, models, sessions
from fer_core.sessions.settings_log import RecordedSettings, model_id
from fer_core.sessions.videos import RecordedVideo, remove_unowned, video_of

# A session that has no end and was not written to for so long was cut off: its recorder writes twice a second.
CUT_OFF_AFTER_S = 90.0

_EXPIRE_EVERY_S = 3600.0
# When expired sessions of a database were last deleted, and what could not be imported into it.
_prepared: weakref.WeakKeyDictionary[Database, tuple[float, tuple[str, ...]]] = weakref.WeakKeyDictionary()
_preparing = threading.Lock()


@dataclass(frozen=True, eq=False)
class Session:
    """One recorded session as it was when it was read.

    Attributes:
        id: its number in the database.
        name: the time it began, with a number if it was not the first; no other session has it.
        details: what a researcher said of it.
        labels: names of its scores.
        began_utc: when it began.
        ended_utc: when it ended; None while it goes on, or if it was cut off.
        updated_utc: when its recorder last wrote.
        length_s: its last frame's time.
        rows: how many there are.
        frames: how many frames.
        faces: how many faces were told apart.
        problem: why it ended early, or what was wrong with what it was imported from; empty if nothing was.
        about: program, model and settings at its beginning, as plain JSON values.
        imported_from: the folder in which an earlier version had recorded it.
        database: where it is.
    """

    id: int
    name: str
    details: Details
    labels: tuple[str, ...]
    began_utc: datetime
    ended_utc: datetime | None
    updated_utc: datetime
    length_s: float
    rows: int
    frames: int
    faces: int
    problem: str
    about: Mapping[str, Any]
    imported_from: str | None
    database: Database

    @property
    def title(self) -> str:
        """What it is called: the name that it was given, before the one of its time."""
        return f"{self.details.title} · {self.name}" if self.details.title else self.name

    def cut_off(self, now_utc: datetime | None = None) -> bool:
        """Return whether whatever recorded it was ended before the session was."""
        silent_s = ((now_utc or datetime.now(UTC)) - self.updated_utc).total_seconds()
        return self.ended_utc is None and silent_s > CUT_OFF_AFTER_S

    def again(self) -> Session:
        """Return the session as it is now.

        Raises:
            SessionError: it was deleted.
        """
        return session_by_name(self.name, self.database)

    def metadata(self) -> dict[str, Any]:
        """Return everything needed to reproduce its table, as plain JSON values."""
        ended = {"ended_utc": iso_text(ms_of(self.ended_utc)), "rows": self.rows} if self.ended_utc else {}
        changed = [event for event in self.events() if event["kind"] != "baseline"]
        baselines = [
            {"face": event["content"]["face"], "from_s": event["time_s"], **event["content"]}
            for event in self.events()
            if event["kind"] == "baseline"
        ]
        baselines += [each.to_json() for each in baselines_of(self)]
        return {
            **self.about,
            "began_utc": iso_text(ms_of(self.began_utc)),
            **ended,
            **({"changes": changed} if changed else {}),
            **({"baselines": baselines} if baselines else {}),
            **({"video": video.metadata()} if (video := self.video()) else {}),
            **{name: value for name, value in self.details.columns().items() if value},
        }

    def video(self) -> RecordedVideo | None:
        """Return what was kept of the camera's picture; None if nothing was asked for.

        One whose recorder was ended before it could finish it is finished now.
        """
        return video_of(self.database, self.id)

    def events(self) -> list[dict[str, Any]]:
        """Return what changed while it was recorded, in order: `time_s`, `kind` and `content`."""
        query = select(events.c.time_s, events.c.kind, events.c.content).where(
            (events.c.session_id == self.id) & (events.c.kind != RATINGS)
        )
        with self.database.begin() as connection:
            return [dict(row._mapping) for row in connection.execute(query.order_by(events.c.time_s, events.c.id))]

    def models(self) -> list[dict[str, Any]]:
        """Return what the models that scored it were, as plain JSON values, the first one first."""
        used = select(face_rows.c.model_id).where(face_rows.c.session_id == self.id).distinct()
        with self.database.begin() as connection:
            query = select(models.c.about).where(models.c.id.in_(used)).order_by(models.c.id)
            return [about for (about,) in connection.execute(query)]

    def short_rows(self) -> pd.DataFrame:
        """Read of every row what charts and summaries need, fast: neither boxes nor time of day."""
        with self.database.begin() as connection:
            return with_corrected(connection, self, read_short(connection, self.id, self.labels))

    def first_rows(self, limit: int) -> pd.DataFrame:
        """Read the first rows of its table."""
        with self.database.begin() as connection:
            return with_corrected(connection, self, read_head(connection, self.name, self.id, self.labels, limit))

    def all_rows(self, unsmoothed: bool = False) -> pd.DataFrame:
        """Read its table, with scores before smoothing if these are wanted."""
        with self.database.begin() as connection:
            rows = read_rows(connection, self.name, self.id, self.labels, unsmoothed)
            return with_corrected(connection, self, rows)

    def table(self, unsmoothed: bool = False) -> bytes:
        """Return its table as CSV, with the columns that tables of videos have, and the time of day.

        Args:
            unsmoothed: whether the scores before smoothing follow, as `unsmoothed_<label>`.
        """
        return csv_of(self.all_rows(unsmoothed))

    def describe(self, details: Details) -> Session:
        """Replace what a researcher said of it; return the session as it is then."""
        with self.database.begin() as connection:
            connection.execute(update(sessions).where(sessions.c.id == self.id).values(**details.columns()))
        return self.again()

    def note_problem(self, problem: str) -> None:
        """Write down why it ended early."""
        with self.database.begin() as connection:
            connection.execute(update(sessions).where(sessions.c.id == self.id).values(problem=problem))

    def delete(self) -> None:
        """Delete it with all that belongs to it; a folder that it was imported from stays."""
        with self.database.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.id == self.id))
        self.database.wipe()
        remove_unowned(self.database)


def sessions_database() -> Database:
    """Return the database of sessions: those of earlier versions are imported once, expired ones deleted every hour.

    Raises:
        SessionError: it cannot be reached or read.
    """
    database = open_database()
    with _preparing:
        last_s, problems = _prepared.get(database, (None, ()))
        if last_s is None:
            problems = import_folders(database).problems
        if last_s is None or time.monotonic() - last_s > _EXPIRE_EVERY_S:
            delete_expired(database)
            remove_unowned(database)
            _prepared[database] = time.monotonic(), problems
    return database


def import_problems() -> tuple[str, ...]:
    """Return why sessions of earlier versions could not be imported, a sentence each."""
    return _prepared.get(sessions_database(), (0.0, ()))[1]


def list_sessions(database: Database | None = None) -> list[Session]:
    """Return all sessions, the newest first."""
    database = database or sessions_database()
    with database.begin() as connection:
        rows = connection.execute(select(sessions).order_by(sessions.c.began_ms.desc(), sessions.c.id.desc()))
        return [_session(row._mapping, database) for row in rows]


def session_by_name(name: str, database: Database | None = None) -> Session:
    """Return one session.

    Raises:
        SessionError: there is none of this name.
    """
    database = database or sessions_database()
    with database.begin() as connection:
        row = connection.execute(select(sessions).where(sessions.c.name == name)).first()
    if row is None:
        raise SessionError(f"There is no session {name}; it was deleted. Choose another.")
    return _session(row._mapping, database)


def create_session(database: Database, settings: RecordedSettings, details: Details, began_utc: datetime) -> str:
    """Make a session that has no rows yet, named after its time; return its name.

    Raises:
        SessionError: it cannot be written.
    """
    values = {
        **details.columns(),
        "labels": list(settings.card.labels),
        "began_ms": ms_of(began_utc),
        "updated_ms": ms_of(datetime.now(UTC)),
        "about": metadata(settings.card, settings.label_set, **settings.values),
        **NOTHING_YET,
    }
    for name in names_from(began_utc.strftime("%Y-%m-%d %H.%M.%S")):
        try:
            with database.begin() as connection:
                model_id(connection, settings.model)
                connection.execute(insert(sessions), {**values, "name": name})
            return name
        except DatabaseError as error:
            if not error.taken:
                raise SessionError(
                    f"The session cannot be recorded: at {database.place}, {error.reason}. {error.todo}"
                ) from error
    raise SessionError(f"Too many sessions began at {began_utc:%H:%M:%S}. Wait a second and begin again.")


# Columns of a session before anything came.
NOTHING_YET: Mapping[str, Any] = {"length_s": 0.0, "rows": 0, "frames": 0, "faces": 0, "problem": ""}


def _session(row: Mapping[Any, Any], database: Database) -> Session:
    named = {str(name): value for name, value in row.items()}
    ended_ms = named["ended_ms"]
    return Session(
        id=named["id"],
        name=named["name"],
        details=Details(
            named["study"], named["participant"], named["condition"], named["title"], named["notes"], (*named["tags"],)
        ),
        labels=tuple(named["labels"]),
        began_utc=datetime_of(named["began_ms"]),
        ended_utc=None if ended_ms is None else datetime_of(ended_ms),
        updated_utc=datetime_of(named["updated_ms"]),
        database=database,
        **{name: named[name] for name in ("length_s", "rows", "frames", "faces", "problem", "about", "imported_from")},
    )
