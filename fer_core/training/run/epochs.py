"""What a run's network said of the validation faces after each epoch, one line of JSON each.

A line takes some 400 bytes: counts, and scores in whole percent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from fer_core.errors import RunError
from fer_core.files import write_text
from fer_core.training.run.records import ValidationRecord

_Count = Annotated[int, Field(ge=0)]
_Percent = Annotated[int, Field(ge=0, le=100)]


@dataclass(frozen=True)
class EpochRecord:
    """Validation after one epoch, with k classes and n shown faces.

    Attributes:
        epoch: counted from 0.
        confusion: counts (k, k), rows true, columns predicted.
        shown: scores (n, k) of the shown faces, percent.
    """

    epoch: _Count
    confusion: list[list[_Count]]
    shown: list[list[_Percent]]

    def __post_init__(self) -> None:
        classes = len(self.confusion)
        if not classes or {len(row) for row in (*self.confusion, *self.shown)} != {classes}:
            raise ValueError(f"expected {classes} values in each row")


_ADAPTER = TypeAdapter(EpochRecord)


def append_epoch(path: Path, epoch: int, confusion: np.ndarray, probs: np.ndarray) -> None:
    """Add a line to the file at `path`.

    Args:
        path: of the run's epochs.
        epoch: counted from 0.
        confusion: int (k, k).
        probs: float (n, k), scores of the shown faces, 0 to 1.
    """
    shown = np.rint(probs * 100).astype(int).tolist()
    content = {"epoch": epoch, "confusion": confusion.tolist(), "shown": shown}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(content, separators=(",", ":")) + "\n")


def cut_epochs(path: Path, epochs: int) -> None:
    """Drop what was written after the first `epochs` epochs: a resumed run trains those again."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if (record := _parsed(line)) is not None and record.epoch < epochs]
    if len(kept) < len(lines):
        write_text(path, "".join(kept))


def read_epochs(path: Path) -> Sequence[EpochRecord]:
    """Read all epochs that were recorded, in their order; a half-written last line is left out.

    Raises:
        RunError: a line is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []  # an earlier version trained the run
    lines = content[: content.rfind(b"\n") + 1].splitlines()
    records = [_parsed(line) for line in lines]
    if None in records:
        raise RunError(f"{path.name} is damaged in line {records.index(None) + 1}: single epochs cannot be shown.")
    return [record for record in records if record is not None]


def record_after(last: ValidationRecord, record: EpochRecord) -> ValidationRecord:
    """Return what was measured after an earlier epoch as the record of a last one, with the faces that `last` has."""
    faces = last.faces
    if np.shape(record.shown) != np.shape(faces.probs):
        probs = faces.probs  # other faces are shown since; their confusion still holds
    else:
        probs = [[percent / 100 for percent in row] for row in record.shown]
    faces = replace(faces, probs=probs, predicted=faces.predicted[: record.epoch + 1])
    return ValidationRecord(record.epoch, record.confusion, faces)


def _parsed(line: str | bytes) -> EpochRecord | None:
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError:
        return None
