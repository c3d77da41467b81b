"""How accuracy falls as pictures get worse, one corruption at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from fer_core.evaluation.results import RobustnessLevel

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Corruption:
    """One way in which pictures get worse.

    Attributes:
        name: in words.
        unit: of the levels, in words.
        levels: how far, from the mildest; a level of 0 is the picture as it is.
        change: makes faces uint8 (n, 48, 48) worse by a level.
    """

    name: str
    unit: str
    levels: tuple[float, ...]
    change: Change


def _light(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    return np.clip(images * (1 + level / 100), 0, 255).round().astype(np.uint8)


def _contrast(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    mean = images.mean(axis=(1, 2), keepdims=True)
    return np.clip(mean + (images - mean) * (1 + level / 100), 0, 255).round().astype(np.uint8)


def _blur(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(image, (0, 0), level, borderType=cv2.BORDER_REPLICATE) for image in images])


def _noise(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(0, 255 * level / 100, images.shape).astype(np.float32)
    return np.clip(images + noise, 0, 255).round().astype(np.uint8)


def _jpeg(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(level)]
    files = [cv2.imencode(".jpg", image, quality)[1] for image in images]
    return np.stack([np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)) for file in files])


def _shift(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    # Left, right, up or down: each face its own, the same at every level.
    ways = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])[rng.integers(0, 4, len(images))]
    offsets = ways * images.shape[1] * level / 100
    return _warp(images, lambda i: np.array([[1, 0, offsets[i, 0]], [0, 1, offsets[i, 1]]], np.float32))


def _scale(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D(_center(images), 0, 1 + level / 100)
    return _warp(images, lambda i: matrix)


def _rotate(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    ways = np.where(rng.random(len(images)) < 0.5, -level, level)
    return _warp(images, lambda i: cv2.getRotationMatrix2D(_center(images), ways[i], 1))


def _center(images: np.ndarray) -> tuple[float, float]:
    return (images.shape[2] - 1) / 2, (images.shape[1] - 1) / 2


def _warp(images: np.ndarray, matrix: Callable[[int], np.ndarray]) -> np.ndarray:
    size = images.shape[2], images.shape[1]
    return np.stack(
        [
            cv2.warpAffine(image, matrix(i), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for i, image in enumerate(images)
        ]
    )


CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType(
    {
        corruption.name: corruption
        for corruption in (
            Corruption("brightness", "% brighter or darker", (-50, -25, 0, 25, 50), _light),
            Corruption("contrast", "% more or less contrast", (-75, -50, -25, 0, 25, 50), _contrast),
            Corruption("blur", "px, standard deviation", (0, 0.5, 1, 1.5, 2), _blur),
            Corruption("noise", "% of white, standard deviation", (0, 2, 5, 10, 15), _noise),
            Corruption("JPEG", "quality", (100, 60, 40, 20, 10), _jpeg),
            Corruption("shift", "% of the width", (0, 5, 10, 15, 20), _shift),
            Corruption("scale", "% larger or smaller", (-20, -10, 0, 10, 20), _scale),
            Corruption("rotation", "degrees", (0, 5, 10, 20, 30), _rotate),
        )
    }
)


def corrupt(images: np.ndarray, name: str, level: float, seed: int = 0) -> np.ndarray:
    """Return faces uint8 (n, 48, 48) made worse: `name` out of `CORRUPTIONS`, `level` in its unit.

    What leaves the picture is replaced by its border.
    """
    images = np.asarray(images)
    if level == 0 or len(images) == 0:
        return images
    return CORRUPTIONS[name].change(images, level, np.random.default_rng(seed))


def measure_robustness(
    classify: Callable[[np.ndarray], np.ndarray], images: np.ndarray, labels: np.ndarray, clean_probs: np.ndarray
) -> Iterator[tuple[str, tuple[RobustnessLevel, ...]]]:
    """Measure the accuracy at every level of every corruption.

    Args:
        classify: turns faces uint8 (n, 48, 48) into scores (n, 7).
        images: uint8 (n, 48, 48).
        labels: int (n,), the true columns.
        clean_probs: float (n, 7), the scores of the images as they are.

    Yields:
        The name of each corruption and its levels in order.
    """

    def accuracy(name: str, level: float) -> float:
        probs = clean_probs if level == 0 else classify(corrupt(images, name, level))
        return float(np.mean(probs.argmax(axis=1) == labels))

    for name, corruption in CORRUPTIONS.items():
        yield name, tuple(RobustnessLevel(level, accuracy(name, level)) for level in corruption.levels)
