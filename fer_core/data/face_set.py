"""A labelled set of faces, with its splits, its votes, where it came from, and a hash that names its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fer_core.data.class_names import name_problem
from fer_core.data.split_names import SPLITS
from fer_core.emotions import LABELS, has_emotions
from fer_core.errors import DataError
from fer_core.face_size import FACE_SIZE

# The ten columns of the FER+ votes, in the order of their file.
VOTE_COLUMNS: tuple[str, ...] = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)


@dataclass(frozen=True)
class Provenance:
    """Where a set of faces came from and what was done to it on the way in.

    Attributes:
        name: of the file or folder that was read.
        kind: "table", "image tree", "demo" or "memory".
        synthetic: the faces were drawn by this project; they are not photographs and not FER-2013.
        notes: sentences a user should read, such as how many images were converted from colour.
        unreadable: the images that could not be read and were left out, each as "name: reason".
    """

    name: str = ""
    kind: str = "memory"
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Faces, labels and splits, row by row in the order of the source.

    Attributes:
        images: uint8 (n, 48, 48), gray; read-only and memory-mapped when it comes from a store.
        labels: int64 (n,), index into `class_names`.
        split: uint8 (n,), index into `SPLITS`.
        votes: uint8 (n, 10), FER+ votes in the order of `VOTE_COLUMNS`, or None.
        source: where it came from.
        class_names: of the labels, by default the seven emotions; only those have votes.
    """

    images: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    votes: np.ndarray | None = None
    source: Provenance = Provenance()
    class_names: tuple[str, ...] = LABELS

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.images.shape != (n, FACE_SIZE, FACE_SIZE) or self.images.dtype != np.uint8:
            raise ValueError(
                f"images must be uint8 (n, {FACE_SIZE}, {FACE_SIZE}), got {self.images.dtype} {self.images.shape}"
            )
        _check_class_names(self.class_names)
        for name, values, end in (("labels", self.labels, len(self.class_names)), ("split", self.split, len(SPLITS))):
            if values.shape != (n,) or (n and (values.min() < 0 or values.max() >= end)):
                raise ValueError(f"{name} must have shape ({n},) and values from 0 to {end - 1}")
        if self.votes is not None and not self.has_emotions:
            raise ValueError(f"votes belong to the classes {', '.join(LABELS)}, got {', '.join(self.class_names)}")
        if self.votes is not None and (self.votes.shape != (n, len(VOTE_COLUMNS)) or self.votes.dtype != np.uint8):
            raise ValueError(
                f"votes must be uint8 ({n}, {len(VOTE_COLUMNS)}), got {self.votes.dtype} {self.votes.shape}"
            )

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of pixels, labels, splits and, if they are not the seven, class names, in hexadecimal; no votes."""
        digest = hashlib.sha256()
        for array in (self.images, self.labels.astype(np.uint8), self.split):
            digest.update(np.ascontiguousarray(array).data)
        if not self.has_emotions:
            digest.update("\n".join(self.class_names).encode())
        return digest.hexdigest()

    @property
    def has_emotions(self) -> bool:
        """Whether its classes are the seven emotions in the order of `LABELS`: only these compare with FER-2013."""
        return self.class_names == LABELS

    @cached_property
    def image_hashes(self) -> np.ndarray:
        """The hash of each image, uint64 (n,), as `hash_images` returns it."""
        return hash_images(self.images)

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits that have images, in the order of `SPLITS`."""
        return tuple(name for number, name in enumerate(SPLITS) if np.any(self.split == number))

    def rows_of(self, *splits: str) -> np.ndarray:
        """Return the row numbers, int64 (m,) and ascending, that belong to any of `splits`.

        Raises:
            DataError: a name is not a split, or no row belongs to them.
        """
        unknown = set(splits) - set(SPLITS)
        if unknown:
            raise DataError(f"Expected splits out of {', '.join(SPLITS)}; got {', '.join(sorted(unknown))}.")
        rows = np.flatnonzero(np.isin(self.split, [SPLITS.index(name) for name in splits]))
        if len(rows) == 0:
            raise DataError(
                f"The data set has no images in {' or '.join(splits)}; "
                f"it has {', '.join(self.splits) or 'none at all'}. Choose one of these."
            )
        return rows

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images by split, of those that have any, and class."""
        return {
            split: {
                label: int(np.sum((self.split == SPLITS.index(split)) & (self.labels == k)))
                for k, label in enumerate(self.class_names)
            }
            for split in self.splits
        }


def _check_class_names(names: tuple[str, ...]) -> None:
    if has_emotions(names) and names != LABELS:
        raise ValueError(f"the seven emotions must come in the order {', '.join(LABELS)}, got {', '.join(names)}")
    if problem := name_problem(names):
        raise ValueError(f"class_names: {problem}")


def hash_images(images: np.ndarray) -> np.ndarray:
    """Return a hash of each image's pixels, uint64 (n,), of images uint8 (n, h, w).

    The chance that any two different images out of a hundred thousand share one is one in four billion.
    """
    digests = b"".join(hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images)
    return np.frombuffer(digests, "<u8")
