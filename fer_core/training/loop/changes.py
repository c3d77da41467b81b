"""What happens to each training face at random, drawn from one generator and apart from the faces.

The processor's path and the accelerator's both take it from here, so they change a face in the same way, and a resumed
run changes it as the uninterrupted one would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.training.config import Augmentation

# How far the changes go that only some faces have; the configuration's words say the same.
_BLUR_PX = (0.3, 1.0)
_NOISE = 0.04
JPEG_QUALITY = (30, 90)
_ERASED_SHARE = (0.02, 0.15)


@dataclass(frozen=True, eq=False)
class Rectangle:
    """What covers a part of a face: `pixels`, uint8 (tall, wide), from row `top` and column `left` on."""

    top: int
    left: int
    pixels: np.ndarray


@dataclass(frozen=True, eq=False)
class Changes:
    """The changes of n faces (n, h, w), in the order in which they are made.

    Attributes:
        mirrored: bool (n,).
        warp: float32 (n, 6) a, b, c, d, u, v: a pixel x, y, counted from the middle, comes from a x + b y + u,
            c x + d y + v, counted from the corner; mirrored too. None if faces are at most mirrored.
        contrast: float32 (n,), what the distance from a face's mean is multiplied by; None if light does not change.
        brightness: float32 (n,), what is added, -255 to 255; None with `contrast`.
        blur: standard deviation in pixels by number of the face.
        noise: float32 (h, w), what is added, by number of the face.
        jpeg: quality, 1 to 100, by number of the face.
        erased: what is covered, by number of the face.
    """

    mirrored: np.ndarray
    warp: np.ndarray | None
    contrast: np.ndarray | None
    brightness: np.ndarray | None
    blur: dict[int, float]
    noise: dict[int, np.ndarray]
    jpeg: dict[int, int]
    erased: dict[int, Rectangle]


def draw_changes(shape: tuple[int, int, int], how: Augmentation, rng: np.random.Generator) -> Changes:
    """Draw the changes of faces.

    Args:
        shape: n, height and width of the faces.
        how: which changes, and how far at most.
        rng: the source of chance; the order of what is drawn is part of every run that goes on.
    """
    n, height, width = shape
    mirrored, warp = _draw_warp(shape, how, rng)
    contrast = brightness = None
    if how.brightness or how.contrast:
        contrast = (1 + rng.uniform(-how.contrast, how.contrast, n)).astype(np.float32)
        brightness = (255 * rng.uniform(-how.brightness, how.brightness, n)).astype(np.float32)
    return Changes(
        mirrored,
        warp,
        contrast,
        brightness,
        blur={i: rng.uniform(*_BLUR_PX) for i in _some(n, how.blur, rng)},
        noise={i: _draw_noise((height, width), rng) for i in _some(n, how.noise, rng)},
        jpeg={i: int(rng.integers(*JPEG_QUALITY, endpoint=True)) for i in _some(n, how.jpeg, rng)},
        erased={i: _draw_rectangle(height, width, rng) for i in _some(n, how.erase, rng)},
    )


def draw_mix(n: int, alpha: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw how n faces are mixed (mixup, arXiv 1710.09412).

    Args:
        n: number of faces.
        alpha: of Beta(alpha, alpha), from which each face's share of itself is drawn; over 0.
        rng: the source of chance.

    Returns:
        float32 (n,), the share of itself that a face keeps, and int (n,), the number of the face it is mixed with.
    """
    return rng.beta(alpha, alpha, n).astype(np.float32), rng.permutation(n)


def _draw_warp(
    shape: tuple[int, int, int], how: Augmentation, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray | None]:
    n, height, width = shape
    angle = np.deg2rad(rng.uniform(-how.rotate_deg, how.rotate_deg, n))
    size = 1 + rng.uniform(-how.scale, how.scale, n)
    shift = rng.uniform(-how.shift, how.shift, (n, 2)) * (width, height)
    # Resampling softens a picture however it is done: a network that never saw a sharp one does worse on them.
    kept = rng.random(n) >= how.warp
    angle[kept], size[kept], shift[kept] = 0, 1, 0
    mirrored = rng.random(n) < how.flip
    if not (how.rotate_deg or how.scale or how.shift):
        return mirrored, None
    mirror = np.where(mirrored, -1.0, 1.0)
    cos, sin = np.cos(angle) / size, np.sin(angle) / size
    middle = (width - 1) / 2, (height - 1) / 2
    columns = (cos * mirror, sin * mirror, -sin, cos, shift[:, 0] + middle[0], shift[:, 1] + middle[1])
    return mirrored, np.stack(columns, axis=1).astype(np.float32)


def _some(n: int, share: float, rng: np.random.Generator) -> list[int]:
    """Return the numbers of the faces that a change meets; nothing is drawn for one that no face has."""
    return np.flatnonzero(rng.random(n) < share).tolist() if share else []


def _draw_noise(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(shape, np.float32) * (255 * rng.uniform(0, _NOISE))


def _draw_rectangle(height: int, width: int, rng: np.random.Generator) -> Rectangle:
    area, ratio = rng.uniform(*_ERASED_SHARE) * height * width, np.exp(rng.uniform(np.log(0.4), np.log(2.5)))
    tall = int(np.clip(np.sqrt(area * ratio), 1, height))
    wide = int(np.clip(np.sqrt(area / ratio), 1, width))
    top, left = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
    return Rectangle(top, left, rng.integers(0, 256, (tall, wide), np.uint8))
