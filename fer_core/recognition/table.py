"""The table of faces and their scores: the same for pictures, videos and live streams."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TextIO

import pandas as pd

from fer_core.types import FrameResult

_BOX = ("left", "top", "right", "bottom")


class Table:
    """One row a face, as CSV: written as faces are found, so that rows survive whatever ends the program.

    A frame without a face is a row too, with nothing in its columns from `face` on: no face is a result. A picture
    has no `time_s`. `face` is the same number, from 1, for the same face throughout one video. Boxes are in pixels of
    the frame; scores run from 0 to 1. `uncertain` is yes where the best score is below the model's own threshold.
    """

    def __init__(
        self, file: TextIO, labels: Sequence[str], uncertain_below: float | None, began_utc: datetime | None = None
    ) -> None:
        """Args:
        file: open for writing; gets the head at once.
        labels: names of the scores.
        uncertain_below: best score below which a face is uncertain, 0 to 1; none is if None.
        began_utc: when time 0 was; with it rows have the time of day too, as `utc`.
        """
        self._file, self._labels, self._began_utc = file, tuple(labels), began_utc
        self._uncertain_below = uncertain_below or 0.0
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(
            [
                "file",
                "frame",
                "time_s",
                *(["utc"] if began_utc else []),
                "face",
                *_BOX,
                "expression",
                "uncertain",
                *self._labels,
            ]
        )

    def add(self, name: str, result: FrameResult, time_s: float | None) -> int:
        """Write the faces of one picture or frame.

        Args:
            name: of the file or the stream.
            result: its faces.
            time_s: when in the video or stream, seconds; None for a picture.

        Returns:
            The number of rows.
        """
        position = [name, result.index, "" if time_s is None else f"{time_s:.3f}"]
        if self._began_utc and time_s is not None:
            position.append((self._began_utc + timedelta(seconds=time_s)).isoformat(timespec="milliseconds"))
        if not len(result):
            self._writer.writerow(position + [""] * (len(_BOX) + 3 + len(self._labels)))
        for xyxy, face, expression, probs in zip(
            result.detections.xyxy, result.track_id, result.prediction.top, result.prediction.probs, strict=True
        ):
            uncertain = "yes" if probs.max() < self._uncertain_below else "no"
            self._writer.writerow(
                [
                    *position,
                    int(face) + 1,
                    *(f"{value:.1f}" for value in xyxy),
                    expression,
                    uncertain,
                    *(f"{value:.4f}" for value in probs),
                ]
            )
        self._file.flush()
        return max(1, len(result))


def score_columns(rows: pd.DataFrame) -> list[str]:
    """Return the names of the scores in a table that was read: the columns after `uncertain`, or after `expression`
    where an earlier version wrote it."""
    columns = list(rows.columns)
    return columns[columns.index("uncertain" if "uncertain" in columns else "expression") + 1 :]


def read_table(content: bytes) -> pd.DataFrame:
    """Read what a `Table` wrote; a half-written last row is left out.

    Args:
        content: the file, with at least its head.

    Raises:
        ValueError, KeyError: it is not such a file.
    """
    whole = content[: content.rfind(b"\n") + 1]
    rows = pd.read_csv(io.BytesIO(whole), dtype={"file": str, "expression": str, "uncertain": str})
    return rows.astype({"face": "Int64"})
