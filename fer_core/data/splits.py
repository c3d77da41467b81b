"""Hold out part of Training for validation, where a data set has no split that may be looked at while training."""

from __future__ import annotations

import dataclasses

import numpy as np

from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.emotions import LABELS
from fer_core.errors import DataError


def with_validation(faces: FaceSet, share: float = 0.1, seed: int = 0) -> FaceSet:
    """Move a part of each expression's Training images to the split Validation.

    Exact copies of an image stay on one side, so that the validation images were not trained on.

    Args:
        faces: a data set without a Validation split.
        share: of each expression's training images, above 0 and below 1.
        seed: of the choice.

    Raises:
        DataError: there is nothing to split, or it is split already.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, got {share}")
    if "Validation" in faces.splits:
        raise DataError("The data set already has a Validation split. Use it as it is.")
    rng = np.random.default_rng(seed)
    rows = faces.rows_of("Training")
    copies = _copies(faces.images[rows])
    firsts = faces.labels[rows][np.unique(copies, return_index=True)[1]]  # copies count by the first one's label
    held_out = np.zeros(len(firsts), bool)
    sizes = np.bincount(copies)
    for label in range(len(LABELS)):
        groups = rng.permutation(np.flatnonzero(firsts == label))
        before = np.cumsum(sizes[groups]) - sizes[groups]
        held_out[groups[before < round(share * sizes[groups].sum())]] = True
    split = np.array(faces.split)
    split[rows[held_out[copies]]] = SPLITS.index("Validation")
    note = (
        f"{int(held_out[copies].sum()):,} of the {len(rows):,} training images were set aside as Validation "
        f"(seed {seed}); exact copies stay together."
    )
    source = dataclasses.replace(faces.source, notes=(*faces.source.notes, note))
    return dataclasses.replace(faces, split=split, source=source)


def _copies(images: np.ndarray) -> np.ndarray:
    """Return a number for each image, int64 (n,), equal for images of equal pixels."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(image.tobytes(), len(numbers)) for image in images], np.int64)
