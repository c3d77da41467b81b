"""Points and ranges in a session: markers, ranges that summaries leave out, and what human coders saw."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd
from sqlalchemy import delete, insert, select

from fer_core.errors import SessionError
from fer_core.sessions.schema import markers

if TYPE_CHECKING:
    from fer_core.sessions.store import Session

MARKER, EXCLUDED, CODE = "marker", "excluded", "code"
_LONGEST_LABEL = 200
_EXAMPLE = "time_s,end_s,label with rows such as 12.5,20,film (end_s may be left out)"


@dataclass(frozen=True)
class Marker:
    """A point or a range in a session.

    Attributes:
        time_s: when it is, or begins, seconds since the session began.
        label: its name.
        end_s: when it ends; None for a point.
        kind: MARKER, EXCLUDED for a range that summaries leave out, or CODE for what a human coder saw.
        source: what made it: a key, a button, the page, a list's name, or the coder's.
        id: no other marker has it.

    Raises:
        SessionError: it has no time, ends before it begins, or its name is too long.
    """

    time_s: float
    label: str
    end_s: float | None = None
    kind: str = MARKER
    source: str = "page"
    id: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.time_s) and self.time_s >= 0):
            raise SessionError(f"A marker needs a time of 0 seconds or more, got {self.time_s}. Correct it.")
        if self.end_s is not None and not self.end_s >= self.time_s:
            raise SessionError(
                f"A range must end after it begins at {self.time_s:g} s; {self.label or 'one'} ends at "
                f"{self.end_s:g} s. Correct it, or leave the end empty for a point."
            )
        if self.kind == EXCLUDED and self.end_s is None:
            raise SessionError(f"What is left out must be a range; at {self.time_s:g} s the end is missing. Add it.")
        if len(self.label) > _LONGEST_LABEL:
            raise SessionError(f"A marker's name may have {_LONGEST_LABEL} characters, got {len(self.label)}.")

    def columns(self) -> dict[str, Any]:
        """Return it as columns of the table of markers."""
        return asdict(self)


def markers_of(session: Session, *kinds: str) -> list[Marker]:
    """Return a session's markers of these kinds, markers and excluded ranges if none is named, in order of time."""
    query = select(markers).where(
        (markers.c.session_id == session.id) & markers.c.kind.in_(kinds or (MARKER, EXCLUDED))
    )
    with session.database.begin() as connection:
        rows = connection.execute(query.order_by(markers.c.time_s, markers.c.id))
        return [Marker(**{name: value for name, value in row._mapping.items() if name != "session_id"}) for row in rows]


def replace_markers(session: Session, new: Iterable[Marker], *kinds: str) -> None:
    """Make these the session's markers of some kinds, markers and excluded ranges if none is named."""
    rows = [{**marker.columns(), "session_id": session.id} for marker in new]
    with session.database.begin() as connection:
        old = (markers.c.session_id == session.id) & markers.c.kind.in_(kinds or (MARKER, EXCLUDED))
        connection.execute(delete(markers).where(old))
        if rows:
            connection.execute(insert(markers), rows)


def add_markers(session: Session, new: Sequence[Marker]) -> None:
    """Add markers to a session."""
    if new:
        with session.database.begin() as connection:
            connection.execute(insert(markers), [{**marker.columns(), "session_id": session.id} for marker in new])


def excluded_ranges(found: Iterable[Marker]) -> list[tuple[float, float]]:
    """Return begin and end of what summaries leave out, seconds."""
    return [(each.time_s, each.end_s) for each in found if each.kind == EXCLUDED and each.end_s is not None]


def without_ranges(rows: pd.DataFrame, ranges: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """Return the rows of a table that lie in none of some ranges; each holds its begin and not its end."""
    if not ranges:
        return rows
    time_s = rows["time_s"].to_numpy()
    inside = np.any([(time_s >= begin) & (time_s < end) for begin, end in ranges], axis=0)
    return rows[~inside]


def read_stimulus_list(content: bytes, name: str) -> list[Marker]:
    """Read what was shown when, from a CSV file with the columns `time_s`, `label` and, if wanted, `end_s`.

    Args:
        content: the file, UTF-8; commas, semicolons or tabs between the columns.
        name: of the file.

    Raises:
        SessionError: it is not such a file, or a row cannot be read.
    """
    rows = list(read_csv_rows(content, name))
    if not rows or not {"time_s", "label"} <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "nothing"
        raise SessionError(f"{name} must have the columns {_EXAMPLE}; it has {found}. Add them.")
    return [
        Marker(
            seconds_of(row["time_s"], name, number, "time_s"),
            row["label"].strip(),
            seconds_of(row["end_s"], name, number, "end_s") if row.get("end_s", "").strip() else None,
            source=name[:_LONGEST_LABEL],
        )
        for number, row in enumerate(rows, 2)
    ]


def read_csv_rows(content: bytes, name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names in its head, in small letters and without space around them.

    Raises:
        SessionError: it is not text in UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SessionError(f"{name} must be text in UTF-8, and it is not. Save it as CSV in UTF-8.") from error
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = [column.strip().lower() for column in next(reader, [])]
    return [
        {column: (row[place] if place < len(row) else "") for place, column in enumerate(names)}
        for row in reader
        if any(cell.strip() for cell in row)
    ]


def seconds_of(text: str, name: str, row: int, column: str, expected: str = "number of seconds") -> float:
    """Return a time in seconds, or another number; a comma may stand for the point.

    Raises:
        SessionError: it is no number.
    """
    try:
        return float(text.strip().replace(",", "."))
    except ValueError as error:
        raise SessionError(
            f"{name}, row {row}: {column} must be a {expected} such as 12.5, got {text.strip()!r}. Correct it."
        ) from error
