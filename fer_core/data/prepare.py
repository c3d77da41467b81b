"""Write a data set as the tree of PNG files that the original script trained on."""

from __future__ import annotations

import errno
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from fer_core.data.class_folders import CLASSES_FILE
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.errors import DataError
from fer_core.files import atomic_folder

# The original put both tests into one folder, PublicTest first.
_FOLDERS = {
    "Training": "train",
    "PublicTest": "test",
    "PrivateTest": "test",
    "Test": "test",
    "Validation": "validation",
}
# Where each test keeps its own.
_OWN_FOLDERS = {"PublicTest": "publictest", "PrivateTest": "privatetest"}
_FILES_A_TASK = 256


def write_png_tree(
    faces: FaceSet,
    out_dir: Path,
    progress: Callable[[int, int], None] | None = None,
    join_tests: bool = True,
) -> dict[str, int]:
    """Write `out_dir`/train/angry/im0.png and so on, numbered by class within each folder.

    Classes other than the seven emotions are listed in `out_dir`/classes.txt, so that they are read back as they are.
    The tree appears under its name when it is whole; a process killed half-way leaves none.

    Args:
        faces: the data set.
        out_dir: a folder that is empty or not there.
        progress: called with the number of images written so far and in all.
        join_tests: write PublicTest and PrivateTest into one folder, test, as the original script did; else each split
            has a folder of its own.

    Returns:
        The number of images in each of the folders train, test and, if there is such a split, validation.

    Raises:
        DataError: `out_dir` holds something, cannot be written, or the disk is full.
    """
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise DataError(
            f"{out_dir} already holds something, and files of two data sets must not mix. "
            "Choose a folder that is empty or new."
        )
    try:
        with atomic_folder(out_dir) as partial:
            counts = _write_tree(faces, partial, progress, join_tests)
            if not faces.has_emotions:
                (partial / CLASSES_FILE).write_text("".join(f"{name}\n" for name in faces.class_names), "utf-8")
    except OSError as error:
        reason = "the disk is full; free some space" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise DataError(f"The images cannot be written to {out_dir}: {reason}. Nothing was left there.") from error
    return counts


def _write_tree(
    faces: FaceSet, folder: Path, progress: Callable[[int, int], None] | None, join_tests: bool
) -> dict[str, int]:
    paths, counts = _paths(faces, join_tests), {}
    for name in sorted({path.parent for path in paths}):
        (folder / name).mkdir(parents=True)
    for path in paths:
        counts[path.parts[0]] = counts.get(path.parts[0], 0) + 1

    def write(first: int) -> int:
        for row in range(first, min(first + _FILES_A_TASK, len(faces))):
            png = cv2.imencode(".png", faces.images[row])[1]
            (folder / paths[row]).write_bytes(png)  # unlike cv2.imwrite, says why it fails
        return row + 1 - first

    done = 0
    with ThreadPoolExecutor(4, thread_name_prefix="png") as pool:
        try:
            for written in pool.map(write, range(0, len(faces), _FILES_A_TASK)):
                done += written
                if progress:
                    progress(done, len(faces))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return counts


def _paths(faces: FaceSet, join_tests: bool) -> list[Path]:
    """Return the path of each row; numbers run from 0 by folder and class, PublicTest before PrivateTest."""
    folders = _FOLDERS if join_tests else _FOLDERS | _OWN_FOLDERS
    paths: list[Path] = [Path()] * len(faces)
    numbers: dict[Path, int] = {}
    for row in np.argsort(faces.split, kind="stable"):
        folder = Path(folders[SPLITS[faces.split[row]]], faces.class_names[faces.labels[row]])
        number = numbers.get(folder, 0)
        paths[row] = folder / f"im{number}.png"
        numbers[folder] = number + 1
    return paths
