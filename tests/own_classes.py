"""Folders of images with classes that are none of FER-2013's: drawn faces under other names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from fer_core.data.face_set import FaceSet, Provenance
from fer_core.emotions import LABELS
from tests.data.forms import encoded, write_folder
from tests.drawn_faces import demo_set

OWN = ("calm", "laughing", "yawning")
# What is drawn for each class.
_DRAWN = {"calm": "neutral", "laughing": "happy", "yawning": "surprised", "contempt": "disgusted"}
CK_PLUS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise", "neutral")
_PLAIN = {"anger": "angry", "disgust": "disgusted", "fear": "fearful", "sadness": "sad", "surprise": "surprised"}


@cache
def _demo(count: int) -> FaceSet:
    return demo_set(count, seed=7)


def class_images(name: str, count: int) -> list[np.ndarray]:
    """Return drawn faces, uint8 (48, 48) each, the same at every call."""
    faces = _demo(max(200, 25 * count))
    drawn = LABELS.index(_DRAWN.get(name, _PLAIN.get(name, name)))
    return list(faces.images[np.flatnonzero(faces.labels == drawn)[:count]])


def class_files(names: tuple[str, ...], count: int, top: str = "") -> dict[str, bytes]:
    """Return the files of a tree of `count` images a class, content by path."""
    return {
        f"{top}{name}/{number}.png": encoded(image)
        for name in names
        for number, image in enumerate(class_images(name, count))
    }


def own_tree(folder: Path, count: int = 30) -> Path:
    """Write a folder of three classes without splits."""
    return write_folder(folder, class_files(OWN, count))


def own_faces(count: int = 30) -> FaceSet:
    """Return three classes in Training, Validation and Test."""
    images = np.concatenate([class_images(name, count) for name in OWN])
    labels = np.repeat(np.arange(3), count)
    split = np.tile(np.repeat([0, 4, 3], [count - 2 * (count // 5), count // 5, count // 5]), 3).astype(np.uint8)
    return FaceSet(images, labels, split, source=Provenance(name="my faces", kind="image tree"), class_names=OWN)
