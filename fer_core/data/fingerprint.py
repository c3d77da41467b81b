"""Recognize images by their content: 8 bytes for each, small enough to travel beside a model.

`fer2013_content.npz` holds the fingerprint of each split of FER-2013, so that a model that learned from it knows
its images in whatever data set they turn up. It was written by `np.savez(path, **fingerprint_by_split(faces))`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from fer_core.data.face_set import FaceSet, hash_images
from fer_core.errors import DataError
from fer_core.files import atomic_path

FER2013_HASH = "2ed50d894ea36d7bb14db8b22b95e00b27571a675b3a936597ea1435e94e0436"
# The file beside a card that holds the fingerprint of what the model was trained on.
FINGERPRINT_FILE = "trained_on.npy"

_FER2013 = Path(__file__).with_name("fer2013_content.npz")


def content_fingerprint(images: np.ndarray) -> np.ndarray:
    """Return what recognizes exactly these images: their distinct hashes, uint64 (m,) and ascending.

    Args:
        images: uint8 (n, h, w).
    """
    return np.unique(hash_images(images))


def fingerprint_by_split(faces: FaceSet) -> dict[str, np.ndarray]:
    """Return the fingerprint of each split that has images."""
    return {split: np.unique(faces.image_hashes[faces.rows_of(split)]) for split in faces.splits}


@lru_cache(maxsize=1)
def fer2013_fingerprints() -> dict[str, np.ndarray]:
    """Return the fingerprints of FER-2013's Training, PublicTest and PrivateTest."""
    with np.load(_FER2013) as content:
        return dict(content)


def save_fingerprint(folder: Path, fingerprint: np.ndarray) -> Path:
    """Write a fingerprint beside a model's card and return its path; list its SHA-256 in the card's `files`.

    Args:
        folder: of the model.
        fingerprint: as `content_fingerprint` returns it.
    """
    path = folder / FINGERPRINT_FILE
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.save(file, fingerprint)
    return path


def load_fingerprint(folder: Path) -> np.ndarray:
    """Read the fingerprint in a model's folder.

    Raises:
        DataError: it is missing or damaged.
    """
    path = folder / FINGERPRINT_FILE
    try:
        fingerprint = np.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{path} cannot be read ({error}). It lists the images the model was trained on; copy the model again."
        ) from error
    if fingerprint.dtype != np.uint64 or fingerprint.ndim != 1:
        raise DataError(f"{path}: expected uint64 (n,), found {fingerprint.dtype} {fingerprint.shape}.")
    return fingerprint
