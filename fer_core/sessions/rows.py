"""Rows of a session: frames to rows of the database, and back to the table that pictures and videos have too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from fer_core.recognition.table import BOX, QUALITY, number_digits
from fer_core.sessions.schema import face_rows
from fer_core.types import FrameResult, corrected_column

_SCORE = np.dtype("<f4")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YES_NO = ("no", "yes")
# What looking at a session needs of each row; the rest waits in the database until the whole table is wanted.
_SHORT = ("frame", "time_s", "face", "problems", "expression", "uncertain", "scores", "corrected")
_EMPTY_ROW: Mapping[str, Any] = dict.fromkeys(
    ("face", *BOX, *QUALITY[:4], "problems", "expression", "uncertain", "scores", "unsmoothed", "corrected")
)


def ms_of(moment: datetime) -> int:
    """Return a time of day as the database has it: milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def datetime_of(ms: int) -> datetime:
    """Return a time of day of the database, in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def iso_text(ms: int) -> str:
    """Return a time of day of the database as text."""
    return datetime_of(ms).isoformat(timespec="milliseconds")


def names_from(name: str) -> list[str]:
    """Return the names to try for a session, the first one first."""
    return [name, *(f"{name} ({number})" for number in range(2, 100))]


def rows_of(result: FrameResult, frame: int, uncertain_below: float, face_offset: int = 0) -> list[dict[str, Any]]:
    """Return the rows of a frame: one a face, and one with no face if there is none.

    Args:
        result: the frame.
        frame: its number in the session.
        uncertain_below: best score below which a face is uncertain, 0 to 1.
        face_offset: added to the faces' numbers.
    """
    if not len(result):
        return [{**_EMPTY_ROW, "frame": frame}]
    probs, quality = result.prediction.probs, result.quality_columns()
    columns: dict[str, list[Any]] = {
        "face": (result.track_id + 1 + face_offset).tolist(),
        **dict(zip(BOX, result.detections.xyxy.T.tolist(), strict=True)),
        **{name: quality.get(name, [None] * len(result)) for name in QUALITY[:4]},
        "problems": quality.get("not_valid_because", [None] * len(result)),
        "expression": probs.argmax(axis=1).tolist(),
        "uncertain": (probs.max(axis=1) < uncertain_below).tolist(),
        "scores": packed(probs),
        "unsmoothed": packed(result.unsmoothed),
        "corrected": packed(result.corrected),
    }
    columns = {name: column or [None] * len(result) for name, column in columns.items()}
    return [
        {**dict(zip(columns, values, strict=True)), "frame": frame} for values in zip(*columns.values(), strict=True)
    ]


def packed(scores: np.ndarray | None) -> list[bytes | None]:
    """Return float (n, k) scores as the database has them; None for a row of NaN, nothing if there are none."""
    if scores is None:
        return []
    return [None if np.isnan(row).any() else row.astype(_SCORE).tobytes() for row in scores]


def unpacked(column: Iterable[bytes | None], k: int) -> np.ndarray:
    """Return scores of the database as float32 (n, k), a row of NaN for None."""
    absent = np.full(k, np.nan, _SCORE).tobytes()
    return np.frombuffer(b"".join([absent if scores is None else scores for scores in column]), _SCORE).reshape(-1, k)


def read_short(connection: Connection, session_id: int, labels: Sequence[str]) -> pd.DataFrame:
    """Return what looking at a session needs: frame, time, face, expression, validity and scores of every row."""
    columns = _columns(connection, session_id, _SHORT)
    return pd.DataFrame(
        {
            "frame": np.array(columns["frame"], np.int64),
            "time_s": np.round(np.array(columns["time_s"], np.float64), 3),
            **_face_columns(columns, labels),
            **_score_columns(columns, labels),
        }
    )


def read_boxes(connection: Connection, session_id: int, first: int, last: int) -> np.ndarray:
    """Return the boxes of some rows of a session: float64 (n, 4), pixels; NaN for a row without a face.

    Args:
        connection: to the database.
        session_id: its number.
        first: number of the first of the rows.
        last: number of the last of them, at least `first`.
    """
    columns = [face_rows.c[name] for name in ("number", *BOX)]
    numbers = face_rows.c.number.between(first, last)
    boxes = np.full((last - first + 1, 4), np.nan)
    for number, *box in connection.execute(select(*columns).where(face_rows.c.session_id == session_id, numbers)):
        boxes[number - first] = box
    return boxes


def read_head(connection: Connection, name: str, session_id: int, labels: Sequence[str], limit: int) -> pd.DataFrame:
    """Return the first rows of a session with all columns, as `read_table` returns those of a file."""
    return _whole(connection, name, session_id, labels, limit, False)


def read_rows(
    connection: Connection, name: str, session_id: int, labels: Sequence[str], unsmoothed: bool = False
) -> pd.DataFrame:
    """Return all rows of a session with all columns, as `read_table` returns those of a file.

    Args:
        connection: to the database.
        name: of the session.
        session_id: its number.
        labels: names of its scores.
        unsmoothed: whether the scores before smoothing follow, if there are any.
    """
    return _whole(connection, name, session_id, labels, None, unsmoothed)


def unsmoothed_column(label: str) -> str:
    """Return the name of the column with a label's scores before smoothing."""
    return f"unsmoothed_{label}"


def csv_of(rows: pd.DataFrame) -> bytes:
    """Return rows with all columns as CSV, digit for digit as a `Table` writes them."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows(zip(*(_texts(name, column) for name, column in rows.items()), strict=True))
    return file.getvalue().encode("utf-8")


def _columns(
    connection: Connection, session_id: int, names: Sequence[str], limit: int | None = None
) -> dict[str, tuple[Any, ...]]:
    """Return columns of a session's rows; straight from the driver, since half a million rows are read at once."""
    query = (
        select(*[face_rows.c[name] for name in names])
        .where(face_rows.c.session_id == session_id)
        .order_by(face_rows.c.number)
    )
    cursor = connection.execute(query if limit is None else query.limit(limit)).cursor
    rows = cursor.fetchall() if cursor else []
    return dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))


def _face_columns(columns: Mapping[str, tuple[Any, ...]], labels: Sequence[str]) -> dict[str, Any]:
    expression = np.array([-1 if code is None else code for code in columns["expression"]], np.int8)
    uncertain = np.array([-1 if value is None else int(value) for value in columns["uncertain"]], np.int8)
    quality = {}
    if any(problems is not None for problems in columns["problems"]):
        problems = columns["problems"]
        valid = np.array([-1 if text is None else int(not text) for text in problems], np.int8)
        reasons = pd.Categorical(pd.Series(problems, dtype=object).where(valid == 0))
        quality = {"valid": pd.Categorical.from_codes(valid, _YES_NO), "not_valid_because": reasons}
    return {
        "face": pd.array(np.array(columns["face"], object), "Int64"),
        **quality,
        "expression": pd.Categorical.from_codes(expression, list(labels)),
        "uncertain": pd.Categorical.from_codes(uncertain, _YES_NO),
    }


def _score_columns(columns: Mapping[str, tuple[Any, ...]], labels: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the columns of scores; those of kinds that no row has are left out."""
    names = {"scores": str, "corrected": corrected_column, "unsmoothed": unsmoothed_column}
    scores: dict[str, np.ndarray] = {}
    for kind, name_of in names.items():
        if kind in columns and (kind == "scores" or any(each is not None for each in columns[kind])):
            values = unpacked(columns[kind], len(labels))
            scores |= {name_of(label): values[:, number] for number, label in enumerate(labels)}
    return scores


def _whole(
    connection: Connection, name: str, session_id: int, labels: Sequence[str], limit: int | None, unsmoothed: bool
) -> pd.DataFrame:
    names = ["frame", "time_s", "utc_ms", "face", *BOX, *QUALITY[:4], "problems", "expression", "uncertain"]
    scores = ["scores", "corrected", *(["unsmoothed"] if unsmoothed else [])]
    columns = _columns(connection, session_id, [*names, *scores], limit)
    faces = _face_columns(columns, labels)
    head = {
        "file": pd.Categorical.from_codes(np.zeros(len(columns["frame"]), np.int8), [name]),
        "frame": np.array(columns["frame"], np.int64),
        "time_s": np.round(np.array(columns["time_s"], np.float64), 3),
        "utc": pd.Series([iso_text(ms) for ms in columns["utc_ms"]], dtype="str"),
        "face": faces.pop("face"),
        **{side: np.array(columns[side], np.float64) for side in BOX},
    }
    if "valid" in faces:
        head |= {each: np.array(columns[each], np.float64) for each in QUALITY[:4]}
    return pd.DataFrame({**head, **faces, **_score_columns(columns, labels)})


def _texts(name: Any, column: pd.Series) -> list[str]:
    if column.dtype.kind == "f":
        form = f"{{:.{number_digits(name)}f}}".format
        return ["" if value != value else form(value) for value in column.tolist()]
    return ["" if value is pd.NA or value is None or value != value else str(value) for value in column.tolist()]
