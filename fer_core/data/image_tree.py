"""Read faces from image files in folders: `train/angry/im0.png`, under all usual names of splits and expressions.

Folders of other names are classes of the user's own; `fer_core.data.class_folders` decides.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from fer_core.data.class_folders import (
    ClassFolders,
    choose_classes,
    folder_key,
    parse_classes,
)
from fer_core.data.class_names import MAX_CLASSES
from fer_core.data.face_set import SPLITS, FaceSet, Provenance
from fer_core.data.unreadable import count_reasons
from fer_core.emotions import LABELS, canonical
from fer_core.errors import DataError
from fer_core.face_size import FACE_SIZE

MAX_IMAGES = 500_000
_MAX_IMAGE_BYTES = 32 << 20
_MAX_IMAGE_PIXELS = 50_000_000
_DAMAGED = "damaged"
_TOO_MANY_PIXELS = f"more than {_MAX_IMAGE_PIXELS // 1_000_000} million pixels"
_IMAGES_A_TASK = 64
_BYTES_A_TASK = 8 << 20
_TASKS_AHEAD = 8

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm"})
_SPLIT_FOLDERS = {
    "train": "Training",
    "training": "Training",
    "fer2013train": "Training",
    "test": "Test",
    "testing": "Test",
    "publictest": "PublicTest",
    "fer2013valid": "PublicTest",
    "privatetest": "PrivateTest",
    "fer2013test": "PrivateTest",
    "validation": "Validation",
    "valid": "Validation",
    "val": "Validation",
}


def is_image(name: str, head: bytes) -> bool:
    """Tell whether a file is, or by its name means to be, an image."""
    return head.startswith((b"\x89PNG", b"\xff\xd8\xff")) or PurePosixPath(name).suffix.lower() in _SUFFIXES


@dataclass(frozen=True)
class _Place:
    """Where an image lies: its split, whether a folder names that, and the folder that names its class."""

    split: int
    names_split: bool
    folder: str


@dataclass(frozen=True)
class _Decoded:
    face: np.ndarray
    was_color: bool
    was_resized: bool


class TreeReader:
    """Collects images one by one, in any order, and makes them one set; decoding runs beside the reading."""

    def __init__(self, classes: str = "auto") -> None:
        """Args:
        classes: what folders that name no emotion are, one of `CLASS_CHOICES`.
        """
        self._classes, self._listed = classes, ()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="decode")
        self._names: list[str] = []
        self._places: list[_Place] = []
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._decoding: list[Future[list[_Decoded | str]]] = []
        self._outside: list[str] = []
        self._folders: Counter[str] = Counter()
        self._unknown: set[str] = set()  # keys of folders that name no emotion

    def __len__(self) -> int:
        return self._folders.total() + len(self._outside)

    def list_classes(self, content: bytes) -> None:
        """Take the names in the tree's list of classes, of its first bytes."""
        self._listed = self._listed or parse_classes(content)

    def add(self, name: str, stream: BinaryIO) -> None:
        """Take the image `name` if it lies in a folder that can be a class.

        Raises:
            DataError: there are more images than fit into memory.
        """
        folder = name.rpartition("/")[0]
        place = _place(folder)
        if place is None:
            self._outside.append(name)
            return
        self._folders[place.folder] += 1
        if not self._may_be_class(place.folder):
            return
        if len(self._names) == MAX_IMAGES:
            raise DataError(
                f"There are more than {MAX_IMAGES:,} images; FER-2013 has 35,887. Choose the data set's "
                "own folder or archive."
            )
        self._names.append(name)
        self._places.append(place)
        self._waiting.append(stream.read(_MAX_IMAGE_BYTES + 1))
        self._waiting_bytes += len(self._waiting[-1])
        if len(self._waiting) == _IMAGES_A_TASK or self._waiting_bytes > _BYTES_A_TASK:
            self._decode_waiting()

    def _may_be_class(self, folder: str) -> bool:
        """Return whether the images in a folder are worth reading; one too many refuses all that name no emotion."""
        if canonical(folder):
            return True
        self._unknown.add(folder_key(folder))
        return self._classes != "skip-unknown" and len(self._unknown) <= MAX_CLASSES

    def _decode_waiting(self) -> None:
        if len(self._decoding) >= _TASKS_AHEAD:
            self._decoding[-_TASKS_AHEAD].exception()  # waits, so that undecoded images do not pile up
        self._decoding.append(self._pool.submit(lambda contents: [_decode(c) for c in contents], self._waiting))
        self._waiting, self._waiting_bytes = [], 0

    def close(self) -> None:
        """Let the decoding threads go."""
        self._pool.shutdown(cancel_futures=True)

    def face_set(self, source: str) -> FaceSet:
        """Return all images as one set, ordered by split, class and name.

        Args:
            source: name of the folder or archive.

        Raises:
            DataError: the folders do not say which classes there are, or no image can be read.
        """
        classes = self._choose(source)
        self._decode_waiting()
        decoded = [image for task in self._decoding for image in task.result()]
        places = [(place.split, classes.label_of.get(folder_key(place.folder), -1)) for place in self._places]
        order = sorted(
            (row for row, image in enumerate(decoded) if isinstance(image, _Decoded) and places[row][1] >= 0),
            key=lambda row: (places[row], _natural(self._names[row])),
        )
        unreadable = self._unreadable(decoded)
        if not order:
            raise DataError(
                f"{source}: no image in it can be read: {count_reasons(unreadable)}. The first is {self._names[0]}. "
                "Expected PNG or JPEG files."
            )
        split, labels = np.array([places[row] for row in order]).T
        notes = self._notes([decoded[row] for row in order], split, unreadable, classes)
        return FaceSet(
            np.stack([decoded[row].face for row in order]),
            labels.astype(np.int64),
            split.astype(np.uint8),
            source=Provenance(name=source, kind="image tree", notes=notes, unreadable=unreadable),
            class_names=classes.class_names,
        )

    def _unreadable(self, decoded: list[_Decoded | str]) -> tuple[str, ...]:
        """Return the images that could not be read, each as "name: reason", in order of their names."""
        broken = [(name, reason) for name, reason in zip(self._names, decoded, strict=True) if isinstance(reason, str)]
        return tuple(f"{name}: {reason}" for name, reason in sorted(broken, key=lambda image: _natural(image[0])))

    def _choose(self, source: str) -> ClassFolders:
        if not self._folders:
            raise DataError(
                f"{source}: expected images in folders named {', '.join(LABELS)}, inside train and test; "
                f"found none in such folders; {self._outside[0]} lies elsewhere."
            )
        return choose_classes(self._folders, self._classes, self._listed, source)

    def _notes(
        self, images: list[_Decoded], split: np.ndarray, unreadable: tuple[str, ...], classes: ClassFolders
    ) -> tuple[str, ...]:
        folder_of = "expression" if classes.class_names == LABELS else "class"
        skipped = {name: n for name, n in self._folders.items() if folder_key(name) not in classes.label_of}
        names_split = any(place.names_split for place in self._places)
        colored, resized = sum(image.was_color for image in images), sum(image.was_resized for image in images)
        tests = int(np.sum(split == SPLITS.index("Test")))
        notes = [
            (
                classes.class_names != LABELS,
                f"The classes are named after the folders: {', '.join(classes.class_names)}.",
            ),
            (
                skipped,
                f"{_images(sum(skipped.values()))} left out because their folders name no emotion: "
                f"{', '.join(f'{name} ({count:,})' for name, count in skipped.items())}.",
            ),
            (
                tests,
                f"The folders do not say which of the {tests:,} test images were PublicTest and which PrivateTest, "
                "so they are one split, Test. Measure on it once at the end, as the original did on 7,178 images, "
                "and hold out a part of Training for validation.",
            ),
            (
                not split.any(),
                "There is no folder named test: all images are Training."
                if names_split
                else "There are no folders named train and test: all images are Training.",
            ),
            (colored, f"{_images(colored)} converted from colour to gray."),
            (
                resized,
                f"{_images(resized)} scaled to {FACE_SIZE} × {FACE_SIZE} pixels; what was not square was "
                "cropped around its middle.",
            ),
            (
                unreadable,
                f"{_images(len(unreadable))} left out because they cannot be read, {count_reasons(unreadable)}: "
                f"{_listed(unreadable)}.",
            ),
            (
                self._outside,
                f"{_images(len(self._outside))} left out because they lie in no {folder_of}'s folder: "
                f"{_listed(self._outside)}.",
            ),
        ]
        return tuple(note for applies, note in notes if applies)


def _decode(content: bytes) -> _Decoded | str:
    """Return the image as uint8 (48, 48), or the reason why it cannot be read."""
    if reason := _refused(content):
        return reason
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        return _DAMAGED
    if image.dtype not in (np.uint8, np.uint16):
        return "pixels of an unusual type"
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    was_color = image.ndim == 3
    if was_color:
        image = cv2.cvtColor(image, cv2.COLOR_BGRA2GRAY if image.shape[2] == 4 else cv2.COLOR_BGR2GRAY)
    was_resized = image.shape != (FACE_SIZE, FACE_SIZE)
    return _Decoded(_resize(image) if was_resized else image, was_color, was_resized)


def _refused(content: bytes) -> str:
    """Return why an image is not even decoded; empty if it may be."""
    if not content:
        return "empty file"
    if len(content) > _MAX_IMAGE_BYTES:
        return f"larger than {_MAX_IMAGE_BYTES >> 20} MB"
    if content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" not in content[-1024:]:
        return "cut short"  # OpenCV fills what a truncated JPEG lacks with gray and does not tell.
    # However few bytes there are: a few hundred can claim a billion pixels.
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:  # reads the header only, in about 20 µs
            if image.width * image.height > _MAX_IMAGE_PIXELS:
                return _TOO_MANY_PIXELS
    except Image.DecompressionBombError:
        return _TOO_MANY_PIXELS
    except UnidentifiedImageError:
        return "no image in a known format"
    except (OSError, ValueError):  # ValueError: a header with far too long a text in it
        return _DAMAGED
    return ""


def _resize(image: np.ndarray) -> np.ndarray:
    """Crop `image` to its middle square and scale it to (48, 48): a stretched face shows another expression."""
    height, width = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    return cv2.resize(
        square, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA if side > FACE_SIZE else cv2.INTER_CUBIC
    )


@lru_cache(maxsize=1024)
def _place(folder: str) -> _Place | None:
    """Return where the images in `folder` lie, or None if its name is empty or a split's."""
    *above, last = folder.split("/")
    if not last or _plain(last) in _SPLIT_FOLDERS:
        return None
    named = next((_SPLIT_FOLDERS[_plain(name)] for name in reversed(above) if _plain(name) in _SPLIT_FOLDERS), None)
    return _Place(SPLITS.index(named or "Training"), named is not None, last)


def _plain(folder: str) -> str:
    return re.sub(r"[^a-z0-9]", "", folder.lower())


def _natural(name: str) -> list[str | tuple[int, str]]:
    """Return a key that sorts im2.png before im10.png."""
    return [part.zfill(20) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _images(count: int) -> str:
    return f"{count:,} image was" if count == 1 else f"{count:,} images were"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")
