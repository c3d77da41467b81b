"""Write faces as the table that FER-2013 came as, and its votes as the table of FER+."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_core.data.face_set import SPLITS, VOTE_COLUMNS, FaceSet
from fer_core.data.votes import has_votes
from fer_core.emotions import CSV_TO_INDEX, LABELS
from fer_core.errors import DataError

_ROWS_A_BLOCK = 256


def write_table(faces: FaceSet, path: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write a table with the columns emotion, pixels and Usage, which `read_csv` reads.

    Args:
        faces: with the seven expressions as their labels.
        path: of the table.
        progress: called with the number of rows written so far and in all.

    Raises:
        DataError: the labels are others; this table has numbers for the seven only.
    """
    if len(names := list(next(iter(faces.counts().values())))) != len(LABELS) or names != list(LABELS):
        raise DataError(f"The table fer2013.csv knows {', '.join(LABELS)} only. Write folders instead.")
    words = np.array([str(value) for value in range(256)], dtype=object)
    codes = [CSV_TO_INDEX.index(label) for label in range(len(LABELS))]
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write("emotion,pixels,Usage\n")
        for start in range(0, len(faces), _ROWS_A_BLOCK):
            rows = range(start, min(start + _ROWS_A_BLOCK, len(faces)))
            for row in rows:
                pixels = " ".join(words[faces.images[row].ravel()])
                file.write(f"{codes[faces.labels[row]]},{pixels},{SPLITS[faces.split[row]]}\n")
            if progress:
                progress(rows.stop, len(faces))


def write_votes(faces: FaceSet, path: Path) -> None:
    """Write the votes of a data set as the table of FER+, row by row with `write_table`.

    Rows that nobody voted on have no image name, as in the original.
    """
    if faces.votes is None:
        raise ValueError("the data set has no votes")
    voted = has_votes(faces.votes)
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["Usage", "Image name", *VOTE_COLUMNS])
        for row, counts in enumerate(faces.votes.tolist()):
            # Validation that was held out of Training is Training to the table of FER+.
            split = SPLITS[faces.split[row]].replace("Validation", "Training")
            writer.writerow([split, f"fer{row:07d}.png" if voted[row] else "", *counts])
