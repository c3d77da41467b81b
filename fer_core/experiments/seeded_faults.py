"""A copy of a data set with known faults, for students to find. The original is never changed.

The key, which says where the faults are, lies in the folder of the copy; no page shows it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from fer_core.audit.automatic_corrections import automatic_corrections
from fer_core.audit.first_look import first_look
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.resolve import open_faces
from fer_core.data.split_names import TEST_SPLITS
from fer_core.data.store import data_root, list_stores, write_store
from fer_core.errors import DataError
from fer_core.files import write_text

MISLABEL, DUPLICATE, LEAK, BLANK = "mislabel", "duplicate", "leak", "blank"
KINDS = (MISLABEL, DUPLICATE, LEAK, BLANK)
_KEY_FILE = "seeded_faults.json"
_NOTE = "Known faults were hidden in this copy, as an exercise."
# Grain of a blank image, standard deviation in gray values: far below what counts as blank.
_GRAIN = 2.0


@dataclass(frozen=True)
class FaultShares:
    """How many of the training images get each kind of fault, as shares from 0 to 1.

    Attributes:
        mislabel: another label, each of the six others equally often.
        duplicate: the image, label and votes of another training image in place of its own.
        leak: the image, label and votes of a test image in place of its own.
        blank: one gray value with a little grain in place of the image.
    """

    mislabel: float = 0.03
    duplicate: float = 0.02
    leak: float = 0.01
    blank: float = 0.005

    def __post_init__(self) -> None:
        for kind, share in dataclasses.asdict(self).items():
            if not 0 <= share <= 0.5:
                raise DataError(f"Expected the share of {kind} faults from 0 to 0.5; got {share}.")


@dataclass(frozen=True)
class Fault:
    """One fault that was put into a data set.

    Attributes:
        row: the image that is wrong.
        kind: one of `KINDS`.
        twin: row of the image that was copied; -1 for faults that are no copies.
        label: true label of a mislabelled image, index into the class names; -1 for other faults.
    """

    row: Annotated[int, Field(ge=0)]
    kind: str
    twin: int = -1
    label: Annotated[int, Field(ge=-1)] = -1


@dataclass(frozen=True)
class FaultKey:
    """Which faults a data set was given.

    Attributes:
        original: name of the data set that was copied.
        data_hash: of the copy.
        seed: of the choice.
        faults: all that were put in, by row.
        original_faults: rows that were faulty before; corrections of these are neither right nor wrong.
    """

    original: str
    data_hash: str
    seed: int
    faults: tuple[Fault, ...]
    original_faults: tuple[int, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of faults that occur, in the order of `KINDS`."""
        return tuple(kind for kind in KINDS if any(fault.kind == kind for fault in self.faults))

    def rows_of(self, kind: str) -> list[int]:
        """Return the rows that have a kind of fault."""
        return [fault.row for fault in self.faults if fault.kind == kind]


_ADAPTER = TypeAdapter(FaultKey)


def seed_data_set(data: str, out: str, shares: FaultShares, seed: int, votes: bool = True) -> FaultKey:
    """Write a copy of a data set with known faults, and the key to them.

    Args:
        data: name of the data set, or path of its source.
        out: name of the copy.
        shares: how many faults.
        seed: the same seed gives the same faults.
        votes: keep the FER+ votes.

    Raises:
        DataError: the name is taken, or the data set has too few faultless images.
    """
    if out in (store.name for store in list_stores()):
        raise DataError(f"There is already a data set named {out!r}. Choose another name, or delete that one first.")
    faces = open_faces(data)
    if not votes:
        faces = dataclasses.replace(faces, votes=None)
    copy, key = seed_faults(faces, shares, seed)
    written = write_store(copy, out)
    key = dataclasses.replace(key, original=data, data_hash=written.hash)
    write_text(_key_path(out), _ADAPTER.dump_json(key, indent=1).decode() + "\n")
    return key


def load_key(name: str) -> FaultKey:
    """Read the key to the faults of a data set.

    Raises:
        DataError: it was not made by `seed_data_set`, or its key is damaged.
    """
    path = _key_path(name)
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{name} has no known faults. Expected a data set that `fer seed-faults` made.") from error
    except (ValidationError, OSError) as error:
        raise DataError(f"{path} is damaged. Make the data set again with `fer seed-faults` and its seed.") from error


def seed_faults(faces: FaceSet, shares: FaultShares, seed: int) -> tuple[FaceSet, FaultKey]:
    """Return a copy of `faces` with faults, in which every row keeps its place and split, and the key to them.

    No image has two faults, none is copied twice, and images that were faulty before are left alone.

    Raises:
        DataError: there are too few faultless images.
    """
    rng = np.random.default_rng(seed)
    original_faults = _original_faults(faces)
    training, tests = (_faultless(faces, splits, original_faults, rng) for splits in (("Training",), TEST_SPLITS))
    total = int(np.sum(faces.split == SPLITS.index("Training")))
    counts = {kind: round(share * total) for kind, share in dataclasses.asdict(shares).items()}
    _check_enough(counts, len(training), len(tests))
    images, labels, votes = np.array(faces.images), faces.labels.copy(), None
    if faces.votes is not None:
        votes = faces.votes.copy()
    faults = list(_faults(counts, iter(training.tolist()), iter(tests.tolist()), labels, rng))
    for fault in faults:
        if fault.twin >= 0:
            images[fault.row], labels[fault.row] = faces.images[fault.twin], faces.labels[fault.twin]
            if votes is not None:
                votes[fault.row] = votes[fault.twin]
        elif fault.kind == BLANK:
            images[fault.row] = _blank_image(rng)
        else:
            labels[fault.row] = (fault.label + rng.integers(1, len(faces.class_names))) % len(faces.class_names)
    source = dataclasses.replace(faces.source, notes=(*faces.source.notes, _NOTE))
    copy = dataclasses.replace(faces, images=images, labels=labels, votes=votes, source=source)
    ordered = tuple(sorted(faults, key=lambda fault: fault.row))
    return copy, FaultKey("", copy.hash, seed, ordered, tuple(original_faults.tolist()))


def _original_faults(faces: FaceSet) -> np.ndarray:
    """Return the rows, int (n,), that are faulty before anything is put in, with all copies of images."""
    findings = first_look(faces).findings
    proposal = automatic_corrections(findings, faces.hash, datetime.now(UTC))
    return np.union1d(np.array(list(proposal.current), np.int64), np.flatnonzero(findings.exact_duplicates.grouped))


def _faultless(faces: FaceSet, splits: tuple[str, ...], faulty: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the faultless rows of `splits` in random order."""
    rows = np.flatnonzero(np.isin(faces.split, [SPLITS.index(split) for split in splits]))
    return rng.permutation(np.setdiff1d(rows, faulty))


def _check_enough(counts: Mapping[str, int], training: int, tests: int) -> None:
    needed = sum(counts.values()) + counts[DUPLICATE]
    if not sum(counts.values()):
        raise DataError("All shares of faults are 0, so the copy would have none. Raise one of them.")
    for wanted, available, where in ((needed, training, "Training"), (counts[LEAK], tests, "the test splits")):
        if wanted > available:
            raise DataError(
                f"{wanted:,} faultless images are needed in {where}, and there are {available:,}. Lower the shares of "
                "faults."
            )


def _faults(
    counts: Mapping[str, int],
    training: Iterator[int],
    tests: Iterator[int],
    labels: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[Fault]:
    for kind, count in counts.items():
        for _ in range(count):
            row = next(training)
            if kind == MISLABEL:
                yield Fault(row, kind, label=int(labels[row]))
            else:
                twin = next(training) if kind == DUPLICATE else next(tests) if kind == LEAK else -1
                yield Fault(row, kind, twin=twin)


def _blank_image(rng: np.random.Generator) -> np.ndarray:
    gray = rng.integers(0, 256)
    return np.clip(np.round(gray + _GRAIN * rng.standard_normal((48, 48))), 0, 255).astype(np.uint8)


def _key_path(name: str) -> Path:
    return data_root() / name / _KEY_FILE
