"""The table of faces and their scores: the same for pictures, videos and live streams."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import IO, Any, TextIO

import pandas as pd

from fer_core.types import FrameResult, corrected_column

BOX = ("left", "top", "right", "bottom")
QUALITY = ("face_size_px", "sharpness", "brightness", "detector_score", "valid", "not_valid_because")
_BEFORE_SCORES = (*BOX, *QUALITY, "expression", "uncertain")
# How many digits numbers have behind the point; scores have four.
_DIGITS: Mapping[str, int] = MappingProxyType(
    {
        "time_s": 3,
        **dict.fromkeys(BOX, 1),
        "face_size_px": 1,
        "sharpness": 3,
        "brightness": 3,
        "detector_score": 1,
    }
)
_SCORE_DIGITS = 4
_TEXT = ("file", "expression", "uncertain", "valid", "not_valid_because")


def number_digits(column: str) -> int:
    """Return how many digits numbers of a column have behind the point."""
    return _DIGITS.get(column, _SCORE_DIGITS)


class Table:
    """One row a face, as CSV: written as faces are found, so that rows survive whatever ends the program.

    A frame without a face is a row too, with nothing in its columns from `face` on: no face is a result. A picture
    has no `time_s`. `face` is the same number, from 1, for the same face throughout one video. Boxes are in pixels of
    the frame. The columns from `face_size_px` to `not_valid_because` say how well the face can be seen (`FaceQuality`)
    and how sure the detector was (its own score); a face whose scores should not be used is marked, never left out.
    Scores run from 0 to 1. `uncertain` is yes where the best score is below the model's own threshold. A table with
    `corrected` scores has them last, as `corrected_<label>`, empty for a face without a neutral baseline; scores,
    `expression` and `uncertain` stay raw.
    """

    def __init__(
        self,
        file: TextIO,
        labels: Sequence[str],
        uncertain_below: float | None,
        began_utc: datetime | None = None,
        corrected: bool = False,
    ) -> None:
        """Args:
        file: open for writing; gets the head at once.
        labels: names of the scores.
        uncertain_below: best score below which a face is uncertain, 0 to 1; none is if None.
        began_utc: when time 0 was; with it rows have the time of day too, as `utc`.
        corrected: whether there are columns for corrected scores.
        """
        self._file, self._labels, self._began_utc = file, tuple(labels), began_utc
        self._uncertain_below = uncertain_below or 0.0
        utc = ["utc"] if began_utc else []
        scores = (*self._labels, *(map(corrected_column, self._labels) if corrected else ()))
        self.columns = ("file", "frame", "time_s", *utc, "face", *_BEFORE_SCORES, *scores)
        self._writer = csv.writer(file, lineterminator="\n")
        self._write_head()

    def add(self, name: str, result: FrameResult, time_s: float | None) -> int:
        """Write the faces of one picture or frame.

        Args:
            name: of the file or the stream.
            result: its faces.
            time_s: when in the video or stream, seconds; None for a picture.

        Returns:
            The number of rows.
        """
        position = {"file": name, "frame": result.index, "time_s": time_s}
        if self._began_utc and time_s is not None:
            position["utc"] = (self._began_utc + timedelta(seconds=time_s)).isoformat(timespec="milliseconds")
        faces = self._faces(result) or [{}]
        for face in faces:
            self._write({**position, **face})
        self._file.flush()
        return len(faces)

    def _faces(self, result: FrameResult) -> list[dict[str, Any]]:
        probs = result.prediction.probs
        columns = {
            "face": (result.track_id + 1).tolist(),
            **dict(zip(BOX, result.detections.xyxy.T.tolist(), strict=True)),
            **result.quality_columns(),
            "expression": result.prediction.top,
            "uncertain": (probs.max(axis=1, initial=0.0) < self._uncertain_below).tolist(),
            **dict(zip(self._labels, probs.T.tolist(), strict=True)),
            **result.corrected_columns(),
        }
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def _write_head(self) -> None:
        self._writer.writerow(self.columns)

    def _write(self, row: Mapping[str, Any]) -> None:
        self._writer.writerow([_text(row.get(name), number_digits(name)) for name in self.columns])


class JsonLinesTable(Table):
    """The same rows as JSON objects, one a line: null for what is missing, true and false for yes and no."""

    def _write_head(self) -> None:
        pass

    def _write(self, row: Mapping[str, Any]) -> None:
        values = {name: _rounded(row.get(name), number_digits(name)) for name in self.columns}
        self._file.write(json.dumps(values, ensure_ascii=False) + "\n")


def _text(value: Any, digits: int) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}f}" if isinstance(value, float) else value


def _rounded(value: Any, digits: int) -> Any:
    return round(value, digits) if isinstance(value, float) else value


def score_columns(rows: pd.DataFrame) -> list[str]:
    """Return the names of the raw scores in a table that was read: the columns after `uncertain`, or after `expression`
    where an earlier version wrote it, without those of corrected scores."""
    columns = list(rows.columns)
    scores = columns[columns.index("uncertain" if "uncertain" in columns else "expression") + 1 :]
    corrected = set(map(corrected_column, scores))
    return [name for name in scores if name not in corrected]


def read_table(content: bytes) -> pd.DataFrame:
    """Read what a `Table` wrote; a half-written last row is left out.

    Args:
        content: the file, with at least its head.

    Raises:
        ValueError, KeyError: it is not such a file.
    """
    whole = content[: content.rfind(b"\n") + 1]
    rows = pd.read_csv(io.BytesIO(whole), dtype=dict.fromkeys(_TEXT, str))
    return rows.astype({"face": "Int64"})


def read_table_in_chunks(file: IO[bytes], count: int) -> Iterator[pd.DataFrame]:
    """Read what a `Table` wrote, whole rows, some at a time; otherwise as `read_table`.

    Args:
        file: the table, which need not fit into memory.
        count: how many rows at a time.
    """
    with pd.read_csv(file, dtype=dict.fromkeys(_TEXT, str), chunksize=count) as chunks:
        for rows in chunks:
            yield rows.astype({"face": "Int64"})
