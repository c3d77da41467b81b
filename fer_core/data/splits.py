"""Hold out parts of Training, where a data set has no split to choose models by, or none to test them on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.split_names import TEST_SPLITS
from fer_core.errors import DataError

HELD_OUT_SHARE = 0.1


def missing_splits(faces: FaceSet) -> tuple[str, ...]:
    """Return the splits that a data set lacks to train, choose and test models: Validation, Test, both or none.

    FER-2013's own three splits lack none: PublicTest chooses between models.
    """
    if "PublicTest" in faces.splits or "Training" not in faces.splits:
        return ()
    lacks_test = not set(TEST_SPLITS) & set(faces.splits)
    return tuple(
        name for name, lacks in (("Validation", "Validation" not in faces.splits), ("Test", lacks_test)) if lacks
    )


def with_validation(
    faces: FaceSet, share: float = HELD_OUT_SHARE, seed: int = 0, groups: np.ndarray | None = None
) -> FaceSet:
    """Move a part of each class's Training images to the split Validation; see `with_held_out`.

    Raises:
        DataError: there is nothing to split, or it is split already.
    """
    return with_held_out(faces, {"Validation": share}, seed, groups)


def with_held_out(
    faces: FaceSet, shares: Mapping[str, float], seed: int = 0, groups: np.ndarray | None = None
) -> FaceSet:
    """Move a part of each class's Training images to other splits.

    Copies of an image stay on one side, so that what is held out was not trained on. A class gives each split one
    group of copies at least, as long as it has more groups than there are splits.

    Args:
        faces: a data set without these splits.
        shares: of each class's training images, by the name of the new split; each above 0, together below 1.
        seed: of the choice.
        groups: int (n,), equal for images that stay together; by default those that are the same to the last pixel.

    Raises:
        DataError: there is nothing to split, or it is split already.
    """
    if not all(share > 0 for share in shares.values()) or not sum(shares.values()) < 1:
        raise ValueError(f"shares must be above 0 and together below 1, got {dict(shares)}")
    if present := [name for name in shares if name in faces.splits]:
        raise DataError(f"The data set already has a {present[0]} split. Use it as it is.")
    rows = faces.rows_of("Training")
    if groups is None:
        groups = exact_duplicates(faces.images).first_rows
    _, first, group = np.unique(groups[rows], return_index=True, return_inverse=True)
    sizes, labels = np.bincount(group), faces.labels[rows][first]  # copies count by the first one's label
    target = np.full(len(first), SPLITS.index("Training"), np.uint8)
    rng = np.random.default_rng(seed)
    for label in range(len(faces.class_names)):
        members = rng.permutation(np.flatnonzero(labels == label))
        for split, chosen in _chosen(members, sizes, shares).items():
            target[chosen] = SPLITS.index(split)
    split = np.array(faces.split)
    split[rows] = target[group]
    counts = {name: int(np.sum(split[rows] == SPLITS.index(name))) for name in shares}
    each = " and ".join(f"{count:,} as {name}" for name, count in counts.items())
    note = (
        f"{sum(counts.values()):,} of the {len(rows):,} training images were held out of each class, {each} (seed "
        f"{seed}); copies stay together."
    )
    source = dataclasses.replace(faces.source, notes=(*faces.source.notes, note))
    return dataclasses.replace(faces, split=split, source=source)


def _chosen(groups: np.ndarray, sizes: np.ndarray, shares: Mapping[str, float]) -> dict[str, list[int]]:
    """Choose groups of one class, int (m,) in random order, for each split; a group too large for it is passed over."""
    total, left = sizes[groups].sum(), list(groups)
    chosen: dict[str, list[int]] = {split: [] for split in shares}
    for split, share in shares.items():
        wanted = round(share * total)
        for group in list(left):
            if sizes[group] <= wanted:
                wanted -= sizes[group]
                chosen[split].append(group)
                left.remove(group)
        if not chosen[split] and len(left) > len(shares):
            smallest = min(left, key=lambda group: sizes[group])
            chosen[split].append(smallest)
            left.remove(smallest)
    return chosen
