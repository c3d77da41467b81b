"""The FER+ votes: ten people's second look at each face of FER-2013, joined row by row."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from fer_core.data.archive_reader import entries
from fer_core.data.csv_reader import TableKind, table_kind
from fer_core.data.face_set import SPLITS, VOTE_COLUMNS, FaceSet
from fer_core.emotions import LABELS, canonical
from fer_core.errors import DataError

# By chance or in another order of rows, votes and labels agree on about 18 % of FER-2013; correctly
# joined on 62 %. Below this share the votes belong to other rows.
_LEAST_AGREEMENT = 0.35
_JUDGED_FROM_ROWS = 200
_MAX_BYTES = 64 << 20
# From so many of ten votes for one expression a face is clear: people agree on it.
CLEAR_VOTES = 8
# From so many of ten votes for a negative label it is supported by people.
SUPPORTING_VOTES = 4
# Negative expressions: people mind false ones most, and notice missed ones.
NEGATIVE_INDEX = tuple(LABELS.index(label) for label in ("angry", "disgusted", "fearful", "sad"))

OLD_VOTES_NOTE = (
    "These FER+ votes were stored by an earlier version of this program: images with all votes for NF (not a face) "
    "count as not voted on. Add fer2013new.csv again to tell the few that were voted on from the others."
)

NF_COLUMN = VOTE_COLUMNS.index("NF")  # not a face; the last

# Index into LABELS for each vote column; -1 for contempt, unknown and NF, which FER-2013 does not know.
_COLUMN_TO_LABEL = np.array([LABELS.index(name) if (name := canonical(column)) else -1 for column in VOTE_COLUMNS])


@dataclasses.dataclass(frozen=True, eq=False)
class Votes:
    """A table of votes.

    Attributes:
        counts: uint8 (n, 10), in the order of `VOTE_COLUMNS`.
        split: uint8 (n,), index into `SPLITS`.
    """

    counts: np.ndarray
    split: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)


def has_votes(votes: np.ndarray) -> np.ndarray:
    """Return bool (n,): whether anybody voted on each face, of votes uint8 (n, 10)."""
    return np.any(votes, axis=1)


def majority_column(votes: np.ndarray) -> np.ndarray:
    """Return the column of `VOTE_COLUMNS` with more votes than any other, of votes uint8 (n, 10).

    Returns:
        int64 (n,); -1 where two columns lead together and where nobody voted.
    """
    most = votes.max(axis=1, keepdims=True)
    leads_alone = (votes == most).sum(axis=1) == 1
    return np.where(leads_alone & has_votes(votes), votes.argmax(axis=1), -1)


def unique_majority(votes: np.ndarray) -> np.ndarray:
    """Return the expression that more people saw in each face than anything else.

    Args:
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`.

    Returns:
        int64 (n,), index into `LABELS`; -1 where two columns lead together, where contempt, unknown or
        not-a-face leads, and where nobody voted.
    """
    column = majority_column(votes)
    return np.where(column >= 0, _COLUMN_TO_LABEL[column], -1)


def without_unnamed_rows(votes: np.ndarray) -> np.ndarray:
    """Return votes in which rows with all votes for NF have none.

    The table lists its curated-out rows, those without an image name, with ten votes for NF. Where the names
    are no longer known, as in data sets stored by earlier versions, nothing else tells these rows apart.

    Args:
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`.
    """
    return np.where(votes[:, :NF_COLUMN].any(axis=1, keepdims=True), votes, 0).astype(np.uint8)


def label_votes(votes: np.ndarray) -> np.ndarray:
    """Return the votes for the seven expressions, uint8 (n, 7) in the order of `LABELS`, of votes uint8 (n, 10)."""
    return votes[:, np.argsort(_COLUMN_TO_LABEL)[len(VOTE_COLUMNS) - len(LABELS) :]]


def clear_expression(votes: np.ndarray, least: int = CLEAR_VOTES) -> np.ndarray:
    """Return the expression of each clear face, one for which at least `least` of ten people voted.

    Args:
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`.
        least: votes from which a face is clear.

    Returns:
        int64 (n,), index into `LABELS`; -1 where the face is not clear.
    """
    counts = label_votes(votes)
    return np.where(counts.max(axis=1) >= least, counts.argmax(axis=1), -1)


def supported_negatives(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the label of each face that is labelled with a negative expression in which people support the label.

    Args:
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`.
        labels: int (n,), index into `LABELS`.

    Returns:
        int64 (n,), index into `LABELS`; -1 where the label is not negative or has fewer than `SUPPORTING_VOTES`.
    """
    support = label_votes(votes)[np.arange(len(labels)), labels]
    return np.where(np.isin(labels, NEGATIVE_INDEX) & (support >= SUPPORTING_VOTES), labels, -1).astype(np.int64)


def read_votes(path: Path) -> Votes:
    """Read a votes table such as `fer2013new.csv`, plain or compressed.

    Raises:
        DataError: the file is missing or not such a table; the message names the row.
    """
    for entry in entries(path):
        if table_kind(entry.head()) is TableKind.VOTES:
            return parse_votes(entry.stream, entry.name)
    raise DataError(
        f"{path} holds no FER+ votes. Expected fer2013new.csv with the columns Usage, {', '.join(VOTE_COLUMNS)}."
    )


def parse_votes(stream: BinaryIO, name: str) -> Votes:
    """Read a votes table from `stream`; `name` stands for it in messages.

    Raises:
        DataError: it is not such a table; the message names the row.
    """
    content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise DataError(f"{name} has more than {_MAX_BYTES / 1e6:.0f} MB; the FER+ table has 1.6 MB.")
    try:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not text. Expected the FER+ table fer2013new.csv.") from error
    reader = csv.reader(text)
    no_columns: list[str] = []
    header = [column.strip().lower() for column in next(_rows(reader, name), no_columns)]
    wanted = ["usage", *(column.lower() for column in VOTE_COLUMNS)]
    missing = [column for column in wanted if column not in header]
    if missing:
        raise DataError(
            f"{name}: expected the FER+ columns Usage, {', '.join(VOTE_COLUMNS)}; {', '.join(missing)} is missing."
        )
    usage, *columns = (header.index(column) for column in wanted)
    # Rows whose image name is empty were taken out by hand when the table was curated; nobody voted on them.
    name_column = header.index("image name") if "image name" in header else None
    counts: list[list[int]] = []
    split: list[int] = []
    for number, row in enumerate(_rows(reader, name)):
        try:
            numbers = [_vote(row[column]) for column in columns]
            curated_out = name_column is not None and not row[name_column].strip()
            counts.append([0] * len(numbers) if curated_out else numbers)
            split.append(SPLITS.index(row[usage].strip()))
        except (ValueError, IndexError) as error:
            raise DataError(
                f"{name}, row {number:,} (counted from 0): expected a Usage out of {', '.join(SPLITS[:3])} and ten "
                f"numbers of votes from 0 to 255, found {','.join(row)[:80]!r}."
            ) from error
    if not counts:
        raise DataError(f"{name} has a header but no rows. Expected one face a row.")
    return Votes(np.array(counts, np.uint8), np.array(split, np.uint8))


def _rows(reader: Iterator[list[str]], name: str) -> Iterator[list[str]]:
    """Yield the rows that are not empty; raise a DataError if a quote runs on to the end."""
    try:
        yield from filter(None, reader)
    except csv.Error as error:
        raise DataError(f"{name} is broken ({error}). Expected the FER+ table fer2013new.csv.") from error


def _vote(word: str) -> int:
    value = int(word)
    if not 0 <= value <= 255:
        raise ValueError(word)
    return value


def join_votes(faces: FaceSet, votes: Votes) -> FaceSet:
    """Return `faces` with `votes`; row i of one belongs to row i of the other.

    The number in the table's image name is not a row number and is never looked at.

    Raises:
        DataError: the tables differ in length, in their Usage column, or the votes contradict the
            labels so often that they must belong to other rows.
    """
    if len(votes) != len(faces):
        raise DataError(
            f"The FER+ table has {len(votes):,} rows and the data set {len(faces):,}; they must be the "
            "same faces in the same order. Use the complete fer2013.csv with its fer2013new.csv."
        )
    # Validation that was held out of Training is Training to the table.
    usage = np.where(faces.split == SPLITS.index("Validation"), SPLITS.index("Training"), faces.split)
    differ = np.flatnonzero(votes.split != usage)
    if len(differ):
        row = differ[0]
        raise DataError(
            f"Row {row:,} (counted from 0) is {SPLITS[faces.split[row]]} in the data set and "
            f"{SPLITS[votes.split[row]]} in the FER+ table: the rows are not in the same "
            "order. Use the original fer2013.csv."
        )
    voted = has_votes(votes.counts)
    agrees = np.equal(unique_majority(votes.counts), faces.labels)
    agreement = float(np.mean(agrees[voted])) if voted.any() else 0.0
    if len(faces) >= _JUDGED_FROM_ROWS and agreement < _LEAST_AGREEMENT:
        raise DataError(
            f"The label is the majority of the votes on only {100 * agreement:.1f} % of the faces (61.6 % when "
            "correctly joined): the rows are not in the same order. Use the original fer2013.csv with its "
            "fer2013new.csv."
        )
    notes = tuple(note for note in faces.source.notes if note != OLD_VOTES_NOTE)
    return dataclasses.replace(faces, votes=votes.counts, source=dataclasses.replace(faces.source, notes=notes))
