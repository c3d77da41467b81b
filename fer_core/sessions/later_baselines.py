"""Neutral baselines chosen after a session: corrected scores follow from them, recorded rows stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, delete, insert, or_, select

from fer_core.errors import SessionError
from fer_core.recognition.baseline import Baseline
from fer_core.sessions.rows import ms_of, unpacked
from fer_core.sessions.schema import face_rows, later_baselines, models
from fer_core.types import corrected_column

if TYPE_CHECKING:
    from fer_core.sessions.store import Session

LEAST_FRAMES = 5
_ROUNDED_S = 0.0005  # tables show times so much rounded


@dataclass(frozen=True, eq=False)
class LaterBaseline:
    """A face's neutral baseline that was set after its session.

    Attributes:
        face: number of the face.
        baseline: made of scores of the session, with its times.
        model: what gave these scores, as plain JSON values; scores of another model are not corrected.
        model_id: its number in the database.
    """

    face: int
    baseline: Baseline
    model: Mapping[str, Any]
    model_id: int

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to correct scores again, as plain JSON values."""
        return {"face": self.face, "set": "afterwards", **self.baseline.to_json()}


def set_baseline(session: Session, face: int, first_s: float, last_s: float) -> LaterBaseline:
    """Make some seconds of a face its zero, in place of others; the formula is that of the live page.

    Args:
        session: with the face.
        face: its number.
        first_s: begin of the seconds in which it looks neutral.
        last_s: their end.

    Raises:
        SessionError: the face was hardly seen then, or by several models.
        SettingsError: the session has no scores for neutral.
    """
    chosen = (
        (face_rows.c.session_id == session.id)
        & (face_rows.c.face == face)
        & face_rows.c.time_s.between(first_s - _ROUNDED_S, last_s + _ROUNDED_S)
        & or_(face_rows.c.problems.is_(None), face_rows.c.problems == "")
    )
    with session.database.begin() as connection:
        query = select(face_rows.c.time_s, face_rows.c.scores, face_rows.c.model_id).where(chosen)
        rows = connection.execute(query.order_by(face_rows.c.number)).all()
        if len(rows) < LEAST_FRAMES:
            raise SessionError(
                f"From {first_s:g} to {last_s:g} s face {face} is valid in {len(rows)} frames; a baseline needs "
                f"{LEAST_FRAMES} or more. Choose other seconds."
            )
        if len(used := {row.model_id for row in rows}) > 1:
            raise SessionError(
                f"From {first_s:g} to {last_s:g} s {len(used)} models scored the face. Choose seconds of one of them."
            )
        probs = unpacked([row.scores for row in rows], len(session.labels))
        baseline = Baseline.of_frames(probs, session.labels, [round(row.time_s, 3) for row in rows])
        values = {
            "session_id": session.id,
            "face": face,
            "model_id": rows[0].model_id,
            "first_s": baseline.first_s,
            "last_s": baseline.last_s,
            "frames": baseline.frames,
            "logits": baseline.logits.tolist(),
            "set_ms": ms_of(datetime.now(UTC)),
        }
        connection.execute(delete(later_baselines).where(_of(session, face)))
        connection.execute(insert(later_baselines), values)
    return next(each for each in baselines_of(session) if each.face == face)


def clear_baseline(session: Session, face: int) -> None:
    """Undo what `set_baseline` did: corrected scores of the face are again those that were recorded, if any were."""
    with session.database.begin() as connection:
        connection.execute(delete(later_baselines).where(_of(session, face)))


def baselines_of(session: Session) -> list[LaterBaseline]:
    """Return the baselines that were set after a session, by face."""
    with session.database.begin() as connection:
        return _read(connection, session)


def with_corrected(connection: Connection, session: Session, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of a session, from its first on, with the corrected scores that its later baselines give.

    Args:
        connection: to the database.
        session: whose rows these are.
        rows: with `face` and the columns of scores; not changed.
    """
    found = _read(connection, session)
    if not found:
        return rows
    labels = list(session.labels)
    columns = [corrected_column(label) for label in labels]
    corrected = (
        rows[columns].to_numpy(np.float32, copy=True)
        if set(columns) <= set(rows.columns)
        else np.full((len(rows), len(labels)), np.nan, np.float32)
    )
    face, model_ids = rows["face"].to_numpy(np.float64, na_value=np.nan), _model_ids(connection, session, len(rows))
    for each in found:
        corrected[face == each.face] = np.nan
        own = (face == each.face) & (model_ids == each.model_id)
        corrected[own] = each.baseline.correct(rows.loc[own, labels].to_numpy(np.float32))
    names = list(rows.columns.drop(columns, errors="ignore"))
    after = names.index(labels[-1]) + 1
    table = pd.DataFrame(corrected, rows.index, columns)
    return pd.concat([rows[names], table], axis=1)[[*names[:after], *columns, *names[after:]]]


def _model_ids(connection: Connection, session: Session, count: int) -> np.ndarray:
    """Return the model of each of the first rows, or the only one as a single number."""
    column = face_rows.c.model_id
    of_session = face_rows.c.session_id == session.id
    used = connection.execute(select(column).where(of_session).distinct()).scalars().all()
    if len(used) == 1:
        return np.array(used[0])
    query = select(column).where(of_session).order_by(face_rows.c.number).limit(count)
    return np.array(connection.execute(query).scalars().all(), np.int64)


def _read(connection: Connection, session: Session) -> list[LaterBaseline]:
    query = (
        select(later_baselines, models.c.about)
        .join(models, models.c.id == later_baselines.c.model_id)
        .where(later_baselines.c.session_id == session.id)
        .order_by(later_baselines.c.face)
    )
    return [
        LaterBaseline(
            row.face,
            Baseline(session.labels, np.array(row.logits, np.float32), row.frames, row.first_s, row.last_s),
            row.about,
            row.model_id,
        )
        for row in connection.execute(query)
    ]


def _of(session: Session, face: int) -> Any:
    return (later_baselines.c.session_id == session.id) & (later_baselines.c.face == face)
