"""How strong human coders saw an expression over time, held against the model's scores."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from sqlalchemy import delete, insert, select

from fer_core.emotions import canonical
from fer_core.errors import SessionError
from fer_core.sessions.icc import MIN_TARGETS, IntraclassCorrelation, intraclass_correlation
from fer_core.sessions.markers import read_csv_rows, seconds_of, without_ranges
from fer_core.sessions.schema import RATINGS, events
from fer_core.sessions.store import Session

BIN_S = 1.0


@dataclass(frozen=True, eq=False)
class Ratings:
    """One coder's ratings of one expression.

    Attributes:
        coder: who rated.
        expression: what was rated.
        times_s: float64 (n,), seconds since the session began, rising.
        values: float64 (n,), from 0 for none to 1 for the strongest.
    """

    coder: str
    expression: str
    times_s: np.ndarray
    values: np.ndarray


def read_ratings(
    content: bytes, name: str, coder: str, expression: str, scale: tuple[float, float], labels: Sequence[str]
) -> list[Ratings]:
    """Read ratings from a CSV file with the columns `time_s`, `value` and, for several expressions, `label`.

    Args:
        content: the file, UTF-8.
        name: of the file.
        coder: who rated.
        expression: what was rated, where there is no column `label`.
        scale: what the coder's lowest and highest value are.
        labels: what the session has scores for.

    Raises:
        SessionError: it is not such a file, a value is not on the scale, or an expression has no scores.
    """
    if not coder.strip():
        raise SessionError("The coder needs a name or a code, to tell coders apart. Enter one.")
    if not scale[0] < scale[1]:
        raise SessionError(f"The scale must end above {scale[0]:g}, where it begins, got {scale[1]:g}. Correct it.")
    rows = read_csv_rows(content, name)
    if not rows or not {"time_s", "value"} <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "nothing"
        raise SessionError(
            f"{name} must have the columns time_s, value and, for several expressions, label; it has {found}. Add them."
        )
    points: dict[str, list[tuple[float, float]]] = {}
    for number, row in enumerate(rows, 2):
        rated = row.get("label", "").strip() or expression
        label = canonical(rated) or rated
        if label not in labels:
            raise SessionError(
                f"{name}, row {number}: the session has no scores for {rated!r}, only for {', '.join(labels)}. "
                "Correct it."
            )
        value = seconds_of(row["value"], name, number, "value", "number")
        if not scale[0] <= value <= scale[1]:
            raise SessionError(
                f"{name}, row {number}: {value:g} is not on the scale from {scale[0]:g} to {scale[1]:g}. Correct the "
                "scale or the value."
            )
        time_s = seconds_of(row["time_s"], name, number, "time_s")
        if not 0 <= time_s < math.inf:
            raise SessionError(f"{name}, row {number}: time_s must be 0 or more, got {time_s:g}. Correct it.")
        points.setdefault(label, []).append((time_s, value))
    return [_ratings(coder.strip(), label, each, scale) for label, each in points.items()]


def ratings_of(session: Session) -> list[Ratings]:
    """Return what coders rated of a session, by coder and expression."""
    query = select(events.c.content).where((events.c.session_id == session.id) & (events.c.kind == RATINGS))
    with session.database.begin() as connection:
        found = [
            Ratings(each["coder"], each["expression"], np.array(each["times_s"]), np.array(each["values"]))
            for (each,) in connection.execute(query)
        ]
    return sorted(found, key=lambda each: (each.coder, each.expression))


def replace_ratings(session: Session, new: Iterable[Ratings]) -> None:
    """Make these the session's ratings."""
    rows = [
        {
            "session_id": session.id,
            "time_s": float(each.times_s[0]),
            "kind": RATINGS,
            "content": {
                "coder": each.coder,
                "expression": each.expression,
                "times_s": each.times_s.tolist(),
                "values": each.values.tolist(),
            },
        }
        for each in new
    ]
    with session.database.begin() as connection:
        connection.execute(delete(events).where((events.c.session_id == session.id) & (events.c.kind == RATINGS)))
        if rows:
            connection.execute(insert(events), rows)


def ratings_csv(session: Session) -> bytes:
    """Return what coders said of a session's intensities as CSV, from 0 to 1."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("coder", "expression", "time_s", "value"))
    for each in ratings_of(session):
        for time_s, value in zip(each.times_s.tolist(), each.values.tolist(), strict=True):
            writer.writerow((each.coder, each.expression, time_s, value))
    return file.getvalue().encode("utf-8")


def model_ratings(rows: pd.DataFrame, face: int | None, expression: str) -> Ratings:
    """Return the model's scores for an expression as ratings, of one face or of the first of each frame.

    Args:
        rows: what `short_rows` returns.
        face: number of the face; None takes the lowest in each frame.
        expression: which score.
    """
    faces = rows.dropna(subset="face")
    faces = faces[faces["face"] == face] if face is not None else faces.sort_values(["frame", "face"])
    faces = faces.drop_duplicates("frame")
    times_s = faces["time_s"].to_numpy(np.float64)
    return Ratings("Model", expression, times_s, faces[expression].to_numpy(np.float64))


def rating_agreement(
    first: Ratings, second: Ratings, bin_s: float = BIN_S, excluded: Sequence[tuple[float, float]] = ()
) -> IntraclassCorrelation | None:
    """Return how far two series of ratings agree: means over bins of time in which both have values.

    Args:
        first: one series.
        second: the other.
        bin_s: width of the bins, seconds.
        excluded: begins and ends of what is left out, seconds.

    Returns:
        None if fewer than three bins have values of both.
    """
    both = pd.concat([_bin_means(each, bin_s, excluded) for each in (first, second)], axis=1, join="inner")
    return intraclass_correlation(both.to_numpy()) if len(both) >= MIN_TARGETS else None


def _bin_means(ratings: Ratings, bin_s: float, excluded: Sequence[tuple[float, float]]) -> pd.Series:
    points = without_ranges(pd.DataFrame({"time_s": ratings.times_s, "value": ratings.values}), excluded)
    return points["value"].groupby(np.floor(points["time_s"] / bin_s + 1e-9).astype(np.int64)).mean()


def _ratings(coder: str, expression: str, points: Sequence[tuple[float, float]], scale: tuple[float, float]) -> Ratings:
    points = sorted(points)
    if twice := [a for a, b in pairwise(points) if a[0] == b[0]]:
        raise SessionError(
            f"{expression} has two values at {twice[0][0]:g} s; each time may have one. Remove one, or name the "
            "expressions in a column label."
        )
    times_s, values = np.array(points, np.float64).T
    return Ratings(coder, expression, times_s, (values - scale[0]) / (scale[1] - scale[0]))
