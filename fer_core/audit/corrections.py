"""What a person decided about single images: leave out, or label otherwise. The data set itself never changes.

The list is a log of steps, oldest first. A step marks one image or a whole group, and the last mark
of a row counts. So undoing is dropping the last step, also after the list was saved and read again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from fer_core.emotions import LABELS, canonical
from fer_core.errors import DataError
from fer_core.files import write_text

EXCLUDE = "exclude"
RELABEL = "relabel"
# Takes a mark back; the row is as in the data set again.
KEEP = "keep"
ACTIONS: tuple[str, ...] = (EXCLUDE, RELABEL, KEEP)
_COLUMNS = ("step", "row", "action", "label", "reason", "time", "data")


@dataclass(frozen=True, slots=True)
class Correction:
    """One decision about one image.

    Attributes:
        step: corrections made together have the same number; later ones have higher numbers.
        row: of the data set.
        action: one of `ACTIONS`.
        label: the new label if the action is "relabel", else empty.
        reason: a few words.
        time: when it was made, ISO 8601 in UTC.
    """

    step: int
    row: int
    action: str
    label: str = ""
    reason: str = ""
    time: str = ""


@dataclass(frozen=True)
class Corrections:
    """All decisions about one data set; each method returns a new value.

    Attributes:
        data: hash of the data set, as `FaceSet.hash`.
        n: number of its rows.
        log: the corrections in the order they were made.
        class_names: of the data set.
    """

    data: str
    n: int
    log: tuple[Correction, ...] = ()
    class_names: tuple[str, ...] = LABELS

    @cached_property
    def current(self) -> Mapping[int, Correction]:
        """The mark that counts for each marked row, by row; rows taken back are absent."""
        last = {mark.row: mark for mark in self.log}
        return {row: last[row] for row in sorted(last) if last[row].action != KEEP}

    def __len__(self) -> int:
        """The number of rows that are marked now."""
        return len(self.current)

    def exclude(self, rows: Iterable[int], reason: str, when: datetime) -> Corrections:
        """Return the corrections with `rows` left out.

        Raises:
            DataError: a row is not in the data set.
        """
        return self._step(rows, EXCLUDE, "", reason, when)

    def relabel(self, rows: Iterable[int], label: str, reason: str, when: datetime) -> Corrections:
        """Return the corrections with `rows` labelled `label`, a class; an emotion may be written in any usual way.

        Raises:
            DataError: a row is not in the data set, or the label is unknown.
        """
        name = _known_label(label, self.class_names)
        if name is None:
            raise DataError(f"{label!r} is not a label. Expected one of {', '.join(self.class_names)}.")
        return self._step(rows, RELABEL, name, reason, when)

    def remove(self, rows: Iterable[int], when: datetime) -> Corrections:
        """Return the corrections with those of `rows` taken back."""
        return self._step([row for row in rows if row in self.current], KEEP, "", "", when)

    def undo(self) -> Corrections:
        """Return the corrections without the last step, be it a group, a removal or an import."""
        return replace(self, log=tuple(mark for mark in self.log if mark.step != self._last_step))

    def merge(self, other: Corrections, when: datetime) -> Corrections:
        """Return these corrections with the current ones of `other`, such as an imported list, as one step more.

        Raises:
            DataError: `other` is about another data set.
        """
        if (other.data, other.n) != (self.data, self.n):
            raise DataError(_other_data(self.data, other.data))
        added = (replace(mark, step=self._last_step + 1, time=_stamp(when)) for mark in other.current.values())
        return replace(self, log=(*self.log, *added))

    def apply(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the corrections make of the data set's labels.

        Args:
            labels: int (n,), index into the class names; left as it is.

        Returns:
            bool (n,), rows to keep; and the labels with those marked changed, int (n,).
        """
        if labels.shape != (self.n,):
            raise ValueError(f"labels must have shape ({self.n},), got {labels.shape}")
        keep, changed = np.ones(self.n, bool), labels.copy()
        for row, mark in self.current.items():
            if mark.action == EXCLUDE:
                keep[row] = False
            else:
                changed[row] = self.class_names.index(mark.label)
        return keep, changed

    def to_csv(self) -> str:
        """Return the list as a CSV table that `from_csv` reads."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(
            (mark.step, mark.row, mark.action, mark.label, mark.reason, mark.time, self.data) for mark in self.log
        )
        return text.getvalue()

    def save(self, path: Path) -> None:
        """Write the list to `path`, atomically.

        Raises:
            DataError: it cannot be written; what was there before is kept.
        """
        try:
            write_text(path, self.to_csv())
        except OSError as error:
            raise DataError(
                f"The list of marked images cannot be written to {path}: {error.strerror or error}. "
                "What was saved before is kept."
            ) from error

    @property
    def _last_step(self) -> int:
        return self.log[-1].step if self.log else 0

    def _step(self, rows: Iterable[int], action: str, label: str, reason: str, when: datetime) -> Corrections:
        rows = [int(row) for row in rows]
        for row in rows:
            if not 0 <= row < self.n:
                raise DataError(f"Row {row} is not in the data set. Expected rows from 0 to {self.n - 1}.")
        step, time = self._last_step + 1, _stamp(when)
        added = (Correction(step, row, action, label, reason, time) for row in rows)
        return replace(self, log=(*self.log, *added))


def load_corrections(path: Path, data: str, n: int, class_names: tuple[str, ...] = LABELS) -> Corrections:
    """Read the list that was saved at `path`.

    Args:
        path: the CSV table.
        data: hash of the data set the corrections must be about.
        n: number of its rows.
        class_names: of the data set.

    Raises:
        DataError: the file is missing or is no such list; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"The list of marked images {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text. Expected a CSV table with the columns {', '.join(_COLUMNS)}.") from error
    return from_csv(text, data, n, path.name, class_names)


def from_csv(
    text: str, data: str, n: int, name: str = "The list", class_names: tuple[str, ...] = LABELS
) -> Corrections:
    """Read a list of corrections from `text`; `name` stands for it in messages.

    Raises:
        DataError: it is no such list, or about another data set; the message names the line.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""))
    log: list[Correction] = []
    try:
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                f"{name}: expected the columns {', '.join(_COLUMNS)}; {', '.join(missing)} is missing. "
                "Export the list again."
            )
        for fields in reader:
            where = f"{name}, line {reader.line_num}"
            log.append(_mark(fields, data, n, class_names, where, after=log[-1].step if log else 1))
    except csv.Error as error:
        raise DataError(f"{name} breaks at line {reader.line_num}: {error}. Export the list again.") from error
    return Corrections(data, n, tuple(log), class_names)


def _mark(
    fields: Mapping[str, str | None], data: str, n: int, class_names: tuple[str, ...], where: str, after: int
) -> Correction:
    if any(fields[column] is None for column in _COLUMNS):
        raise DataError(f"{where}: expected {len(_COLUMNS)} values. The file may be cut off; export the list again.")
    if fields["data"] != data:
        raise DataError(f"{where}: {_other_data(data, fields['data'])}")
    step, row = (_number(fields[column]) for column in ("step", "row"))
    if step is None or step < after:
        raise DataError(f"{where}: expected steps as ascending numbers from 1, found {fields['step'][:20]!r}.")
    if row is None or row >= n:
        raise DataError(f"{where}: expected a row from 0 to {n - 1}, found {fields['row'][:20]!r}.")
    action, label = fields["action"], ""
    if action not in ACTIONS:
        raise DataError(
            f"{where}: expected the action {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}, found {action[:20]!r}."
        )
    if action == RELABEL and (label := _known_label(fields["label"], class_names)) is None:
        raise DataError(f"{where}: expected a label out of {', '.join(class_names)}, found {fields['label'][:20]!r}.")
    return Correction(step, row, action, label, fields["reason"], fields["time"])


def _known_label(label: str, class_names: tuple[str, ...]) -> str | None:
    return next((name for name in (label.strip(), canonical(label)) if name in class_names), None)


def _number(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdecimal() and len(word) <= 12 else None


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds")


def _other_data(expected: str, found: str) -> str:
    return (
        f"the corrections are about another data set (hash {found[:12] or 'missing'}…, expected {expected[:12]}…). "
        "Choose the data set they were made for."
    )
