"""What a recording still has to write, and how it is written: all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from fer_core.sessions.schema import events, face_rows, markers, sessions
from fer_core.sessions.settings_log import model_id


@dataclass(slots=True, eq=False)
class Batch:
    """What came since the last time.

    Attributes:
        rows: of faces, in order, with their model as `model` beside the columns.
        events: settings, models and baselines that began to hold.
        markers: new ones, or ones that got an end, by their id.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    markers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.events or self.markers)

    def before(self, later: Batch) -> Batch:
        """Return this batch and a later one as one."""
        return Batch(
            self.rows + later.rows,
            self.events + later.events,
            {**self.markers, **later.markers},
        )

    def write(self, connection: Connection, session_id: int, progress: Mapping[str, Any]) -> None:
        """Write it all.

        Args:
            connection: in a transaction.
            session_id: of the session.
            progress: columns of the session that have new values.
        """
        if self.rows:
            connection.execute(insert(face_rows), self._numbered(connection, session_id))
        if self.events:
            connection.execute(insert(events), [{**each, "session_id": session_id} for each in self.events])
        if self.markers:  # one that got an end takes the place of the point that it was
            connection.execute(delete(markers).where(markers.c.id.in_(self.markers)))
            connection.execute(insert(markers), [{**each, "session_id": session_id} for each in self.markers.values()])
        connection.execute(update(sessions).where(sessions.c.id == session_id).values(**progress))

    def _numbered(self, connection: Connection, session_id: int) -> list[dict[str, Any]]:
        numbers: dict[int, int] = {}  # by identity of what describes the model: the same object for all its rows
        numbered = []
        for row in self.rows:
            about = row["model"]
            if id(about) not in numbers:
                numbers[id(about)] = model_id(connection, about)
            values = {name: value for name, value in row.items() if name != "model"}
            numbered.append({**values, "session_id": session_id, "model_id": numbers[id(about)]})
        return numbered
