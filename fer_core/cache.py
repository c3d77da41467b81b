"""Results that take long, kept on disk under the hash of what they were computed from.

The hash is part of the path, so a result can be missing but never belong to other data.
"""

from __future__ import annotations

import logging
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from fer_core.data.store import data_root
from fer_core.errors import DataError
from fer_core.files import atomic_path

log = logging.getLogger(__name__)

# Part of every path: raise it when a computation changes what it returns.
_VERSION = 1


def cache_folder(data_hash: str, root: Path | None = None) -> Path:
    """Return the folder of all results about one data set."""
    return (root or data_root()).parent / "audit" / data_hash[:16]


def find_cached(folder: Path, name: str) -> Mapping[str, np.ndarray] | None:
    """Return the arrays that were kept under `name`, or None if there are none that can be read."""
    path = _path(folder, name)
    try:
        with np.load(path) as content:
            return dict(content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s cannot be read and is computed again: %s", path, error)
        return None


def cached_stamp(folder: Path, name: str) -> int | None:
    """Return a number that changes when what is kept under `name` does; None while nothing is kept."""
    try:
        return _path(folder, name).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def store_cached(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Keep `arrays` under `name`, for a caller that has no other way to hand them on.

    Raises:
        DataError: the disk cannot take them.
    """
    try:
        with atomic_path(_path(folder, name)) as partial:
            np.savez(partial, allow_pickle=False, **arrays)
    except OSError as error:
        raise DataError(
            f"Results cannot be written to {folder}: {error.strerror or error}. Free some space there and try again."
        ) from error


def save_cached(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Keep `arrays` under `name`. A disk that cannot take them costs time later, not the result now."""
    try:
        store_cached(folder, name, arrays)
    except DataError as error:
        log.warning("%s could not be kept: %s", name, error)


def get_or_compute(
    folder: Path, name: str, compute: Callable[[], Mapping[str, np.ndarray]]
) -> Mapping[str, np.ndarray]:
    """Return what is kept under `name`, computed and kept first if need be."""
    arrays = find_cached(folder, name)
    if arrays is None:
        arrays = compute()
        save_cached(folder, name, arrays)
    return arrays


def clear_cache(data_hash: str, root: Path | None = None) -> None:
    """Delete all results about one data set, as when the data set itself is deleted."""
    shutil.rmtree(cache_folder(data_hash, root), ignore_errors=True)


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}-v{_VERSION}.npz"
