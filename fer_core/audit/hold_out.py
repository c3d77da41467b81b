"""Hold out what a data set lacks to be trained and tested on, with copies and near copies on one side.

Frames of one film, as CK+ has them, are near copies: held out one by one, they would measure memory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fer_core.audit.near_duplicates import near_duplicates
from fer_core.cache import cache_folder, get_or_compute
from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import FaceSet
from fer_core.data.importing import write_split_store
from fer_core.data.resolve import open_faces
from fer_core.data.splits import HELD_OUT_SHARE, missing_splits, with_held_out
from fer_core.data.store import list_stores, open_store
from fer_core.errors import DataError

log = logging.getLogger(__name__)

Progress = Callable[[float], None]


def copy_groups(images: np.ndarray, progress: Progress | None = None) -> np.ndarray:
    """Return a number for each image, int64 (n,), equal for images that are joined by a chain of near copies.

    Args:
        images: uint8 (n, h, w).
        progress: called with the share done so far, 0 to 1.
    """
    exact = exact_duplicates(images).first_rows
    try:
        pairs = near_duplicates(images, progress=progress)
    except DataError as error:
        log.warning("Only exact copies are kept together. %s", error)
        return exact
    n = len(images)
    first, second = np.concatenate([pairs.first, np.arange(n)]), np.concatenate([pairs.second, exact])
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def with_missing_splits(
    faces: FaceSet, share: float = HELD_OUT_SHARE, seed: int = 0, progress: Progress | None = None
) -> FaceSet:
    """Return a data set with Validation and Test held out of Training, where it lacks them; otherwise unchanged.

    Args:
        faces: a data set.
        share: of each class's training images, for each new split.
        seed: of the choice.
        progress: called with the share done so far, 0 to 1.
    """
    missing = missing_splits(faces)
    if not missing:
        return faces
    kept = get_or_compute(
        cache_folder(faces.hash), "copy-groups", lambda: {"group": copy_groups(faces.images, progress)}
    )
    return with_held_out(faces, dict.fromkeys(missing, share), seed, kept["group"])


def hold_out_splits(name: str, progress: Progress | None = None) -> str:
    """Copy the store `name` with a tenth of each class's training images for each split that it lacks.

    Args:
        name: of the store; that of its copy is returned.
        progress: called with the share done so far, 0 to 1.

    Raises:
        DataError: it lacks no split.
    """
    faces = open_store(name)
    if not missing_splits(faces):
        raise DataError(
            f"{name} has the splits {', '.join(faces.splits)}: nothing needs to be held out. Use it as it is."
        )
    return write_split_store(name, with_missing_splits(faces, progress=progress))


def open_split_faces(data: str) -> FaceSet:
    """Open a data set as `open_faces` does; what its source lacks in splits is held out, always in the same way.

    A stored data set stays as it is: it has a page of its own, where splits are held out into a copy.

    Raises:
        DataError: there is no such data set or it cannot be read.
    """
    faces = open_faces(data)
    if data in {store.name for store in list_stores()}:
        return faces
    held_out = with_missing_splits(faces)
    if held_out is not faces:
        log.info("%s", held_out.source.notes[-1])
    return held_out
