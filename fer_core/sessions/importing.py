"""Sessions that earlier versions recorded, a folder each, brought into the database once.

Such a folder holds `table.csv`, which grew frame by frame, and `about.json`, its metadata. It stays as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert, select

from fer_core.files import read_json
from fer_core.recognition.table import BOX, QUALITY, read_table, score_columns
from fer_core.sessions.database import Database, DatabaseError
from fer_core.sessions.details import Details
from fer_core.sessions.rows import ms_of, names_from, packed
from fer_core.sessions.schema import events, face_rows, imported_folders, sessions
from fer_core.sessions.settings_log import model_id
from fer_core.settings import home_folder
from fer_core.types import corrected_column

logger = logging.getLogger(__name__)

_ROWS_AT_ONCE = 20_000


def folders_root() -> Path:
    """Return the folder below which earlier versions kept sessions."""
    return home_folder() / "sessions"


@dataclass(frozen=True)
class Imported:
    """What came of an import: names of the sessions that came in, and a sentence for each folder that did not."""

    names: tuple[str, ...]
    problems: tuple[str, ...]


def import_folders(database: Database, root: Path | None = None) -> Imported:
    """Bring in the sessions of earlier versions that are not in the database yet; a folder is read once, ever.

    A folder whose table cannot be read is left out and tried again at the next start.

    Args:
        database: to bring them into.
        root: folder of their folders.
    """
    with database.begin() as connection:
        known = set(connection.execute(select(imported_folders.c.path)).scalars())
    names, problems = [], []
    for table_file in sorted((root or folders_root()).glob("*/table.csv")):
        folder = table_file.parent.resolve()
        if str(folder) in known:
            continue
        try:
            session = _read_folder(folder)
        except (OSError, ValueError, KeyError) as error:
            problems.append(f"{table_file} could not be imported: {error}. Expected the table that a recording wrote.")
            continue
        try:
            with database.begin() as connection:
                _write(connection, session)
        except DatabaseError as error:
            if error.taken:
                continue  # another program has brought it in meanwhile
            raise
        names.append(session.name)
    if names:
        logger.info("Imported %d sessions of earlier versions.", len(names))
    return Imported(tuple(names), tuple(problems))


@dataclass(frozen=True, eq=False)
class _FolderSession:
    """A session as its folder has it; `problem` says what could not be read."""

    folder: Path
    rows: pd.DataFrame
    labels: tuple[str, ...]
    about: dict[str, Any]
    problem: str

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def began_utc(self) -> datetime:
        if "began_utc" in self.about:
            return datetime.fromisoformat(self.about["began_utc"])
        if len(self.rows):
            first = self.rows.iloc[0]
            return datetime.fromisoformat(first["utc"]) - timedelta(seconds=float(first["time_s"]))
        return datetime.fromtimestamp(self.folder.stat().st_mtime, UTC)


def _read_folder(folder: Path) -> _FolderSession:
    rows = read_table((folder / "table.csv").read_bytes())
    labels = tuple(score_columns(rows))
    try:
        about, problem = dict(read_json(folder / "about.json")), ""
    except (OSError, ValueError, TypeError) as error:
        about, problem = {}, f"Its about.json could not be read: {error}. Model and settings are not known."
    return _FolderSession(folder, rows, labels, about, problem)


def _write(connection: Connection, session: _FolderSession) -> None:
    now_ms = ms_of(datetime.now(UTC))
    connection.execute(insert(imported_folders), {"path": str(session.folder), "imported_ms": now_ms})
    values = {**_session_values(session), "name": _free_name(connection, session.name)}
    session_id = connection.execute(insert(sessions).returning(sessions.c.id), values).scalar_one()
    baselines = [
        {"session_id": session_id, "time_s": each.get("from_s", 0.0), "kind": "baseline", "content": each}
        for each in session.about.get("baselines", [])
    ]
    if baselines:
        connection.execute(insert(events), baselines)
    model = model_id(connection, session.about.get("model", {"name": "unknown"}))
    for part in _row_values(session):
        connection.execute(insert(face_rows), [{**row, "session_id": session_id, "model_id": model} for row in part])


def _free_name(connection: Connection, name: str) -> str:
    """Return a name that no session has: two machines may have recorded in the same second."""
    taken = set(connection.execute(select(sessions.c.name).where(sessions.c.name.startswith(name))).scalars())
    return next(each for each in names_from(name) if each not in taken)


def _session_values(session: _FolderSession) -> dict[str, Any]:
    rows, about = session.rows, session.about
    frames, faces = (len(set(rows[name].dropna().tolist())) for name in ("frame", "face"))
    length_s = max(rows["time_s"].tolist(), default=0.0)
    last = session.began_utc + timedelta(seconds=length_s)
    ended = datetime.fromisoformat(about["ended_utc"]) if "ended_utc" in about else None
    told = ("began_utc", "ended_utc", "rows", "baselines")
    return {
        **Details().columns(),
        "labels": list(session.labels),
        "began_ms": ms_of(session.began_utc),
        "ended_ms": ended and ms_of(ended),
        "updated_ms": ms_of(last),
        "length_s": length_s,
        "rows": len(rows),
        "frames": frames,
        "faces": faces,
        "problem": session.problem,
        "about": {name: value for name, value in about.items() if name not in told},
        "imported_from": str(session.folder),
    }


def _row_values(session: _FolderSession) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of the table in parts, as columns of the database."""
    rows, began_utc = session.rows, session.began_utc
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows.iloc[start : start + _ROWS_AT_ONCE]
        columns = {
            "number": range(start, start + len(part)),
            "frame": part["frame"].tolist(),
            "time_s": part["time_s"].tolist(),
            "utc_ms": _utc_ms(part, began_utc),
            **_face_values(part, session.labels),
        }
        yield [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _utc_ms(part: pd.DataFrame, began_utc: datetime) -> list[int]:
    if "utc" in part:
        return [ms_of(datetime.fromisoformat(text)) for text in part["utc"]]
    return [ms_of(began_utc + timedelta(seconds=float(time_s))) for time_s in part["time_s"]]


def _face_values(part: pd.DataFrame, labels: tuple[str, ...]) -> dict[str, list[Any]]:
    there = part["face"].notna().to_numpy()
    code_of = {label: code for code, label in enumerate(labels)}
    numbers = {name: _numbers(part, name) for name in (*BOX, *QUALITY[:4])}
    return {
        "face": [int(face) if face is not pd.NA else None for face in part["face"]],
        **numbers,
        "problems": _problems(part, there),
        "expression": [code_of.get(label) for label in part["expression"]],
        "uncertain": [text == "yes" if seen else None for text, seen in zip(_uncertain(part), there, strict=True)],
        "scores": packed(part[list(labels)].to_numpy(np.float64)),
        "corrected": _corrected(part, labels),
    }


def _numbers(part: pd.DataFrame, name: str) -> list[float | None]:
    if name not in part:
        return [None] * len(part)
    return [None if value != value else value for value in part[name].astype(float).tolist()]


def _problems(part: pd.DataFrame, there: np.ndarray) -> list[str | None]:
    if "valid" not in part:
        return [None] * len(part)
    reasons = part["not_valid_because"].fillna("").tolist()
    return [reason if seen else None for reason, seen in zip(reasons, there, strict=True)]


def _uncertain(part: pd.DataFrame) -> list[Any]:
    return part["uncertain"].tolist() if "uncertain" in part else ["no"] * len(part)


def _corrected(part: pd.DataFrame, labels: tuple[str, ...]) -> list[bytes | None]:
    names: Mapping[str, str] = {label: corrected_column(label) for label in labels}
    if not set(names.values()) <= set(part.columns):
        return [None] * len(part)
    return packed(part[list(names.values())].to_numpy(np.float64))
