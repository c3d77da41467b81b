"""Random changes of training faces, on whole batches in numpy and OpenCV.

They need neither Keras nor a graphics processor and run beside the training step. `device_augmentation` makes the
same changes where the network trains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np

from fer_core.training.config import Augmentation
from fer_core.training.loop.changes import Changes, Rectangle, draw_changes, draw_mix

# cv2.remap takes pictures of at most 32,767 rows.
_MAX_ROWS = 32_767
# Cubic interpolation takes two pixels on either side.
REACH = 2


def augment(images: np.ndarray, how: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return changed copies of faces.

    Args:
        images: uint8 (n, h, w).
        how: which changes, and how far at most.
        rng: the source of chance.

    Returns:
        uint8 (n, h, w).
    """
    return changed(images, draw_changes(images.shape, how, rng))


def changed(images: np.ndarray, changes: Changes) -> np.ndarray:
    """Return copies of faces, uint8 (n, h, w), with their changes."""
    faces = _warped(images, changes)
    if changes.contrast is not None:
        faces = _lit(faces, changes)
    # In a camera's order: the lens, the sensor, what sends its pictures, and what stands before it.
    faces = _each(faces, changes.blur, _blurred)
    faces = _each(faces, changes.noise, _noisy)
    faces = _each(faces, changes.jpeg, _compressed)
    return _each(faces, changes.erased, _covered)


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Return faces (n, h, w), uint8 or float32, in `size` × `size` pixels, each the average of what it covers."""
    if images.shape[1:] == (size, size):
        return images
    return np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])


def mix(
    images: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mix each face and its target with another of the batch; see `draw_mix`.

    Args:
        images: (n, h, w), any number type.
        targets: float32 (n, k), rows sum to 1.
        alpha: of Beta(alpha, alpha), from which each face's share of itself is drawn; over 0.
        rng: the source of chance.

    Returns:
        float32 (n, h, w) and float32 (n, k); rows sum to 1.
    """
    share, partner = draw_mix(len(images), alpha, rng)
    faces = images.astype(np.float32)
    in_images, in_targets = share[:, None, None], share[:, None]
    return (
        faces * in_images + faces[partner] * (1 - in_images),
        targets * in_targets + targets[partner] * (1 - in_targets),
    )


def rows_a_pass(height: int) -> int:
    """Return how many faces of this height, pixels, are warped as one tall picture."""
    return _MAX_ROWS // (height + 2 * REACH)


def _warped(images: np.ndarray, changes: Changes) -> np.ndarray:
    """Mirror, turn, scale and shift in one pass; what would come from outside comes from the border."""
    if changes.warp is None:
        return np.where(changes.mirrored[:, None, None], images[:, :, ::-1], images)
    n, height, width = images.shape
    # (n, 1, 1) coefficients times (1, h, w) grids: where each target pixel comes from.
    y, x = (grid[None] for grid in np.mgrid[:height, :width].astype(np.float32))
    x, y = x - (width - 1) / 2, y - (height - 1) / 2
    a, b, c, d, u, v = changes.warp.T[:, :, None, None]
    from_x = np.clip(a * x + b * y + u, 0, width - 1)
    from_y = np.clip(c * x + d * y + v, 0, height - 1)
    step = rows_a_pass(height)
    return np.concatenate(
        [_remap(images[i : i + step], from_x[i : i + step], from_y[i : i + step]) for i in range(0, n, step)]
    )


def _remap(images: np.ndarray, from_x: np.ndarray, from_y: np.ndarray) -> np.ndarray:
    # All faces as one tall picture, so that cv2 is called once. Each repeats its own first and last
    # row as far as the interpolation reaches, so none borrows from the next.
    n, height, width = images.shape
    tall = np.pad(images, ((0, 0), (REACH, REACH), (0, 0)), "edge")
    rows = from_y + (np.arange(n, dtype=np.float32) * tall.shape[1] + REACH)[:, None, None]
    warped = cv2.remap(
        tall.reshape(-1, width),
        from_x.reshape(n * height, width),
        rows.reshape(n * height, width),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped.reshape(n, height, width)


def _lit(images: np.ndarray, changes: Changes) -> np.ndarray:
    contrast, brightness = changes.contrast[:, None, None], changes.brightness[:, None, None]
    mean = images.mean(axis=(1, 2), dtype=np.float32)[:, None, None]
    faces = images.astype(np.float32)
    faces *= contrast
    faces += mean * (1 - contrast) + brightness
    return np.clip(faces, 0, 255, out=faces).astype(np.uint8)


def _each(images: np.ndarray, values: Mapping[int, Any], change: Callable[[np.ndarray, Any], np.ndarray]) -> np.ndarray:
    if not values:
        return images
    images = images.copy()
    for i, value in values.items():
        images[i] = change(images[i], value)
    return images


def _blurred(image: np.ndarray, sigma_px: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)


def _noisy(image: np.ndarray, noise: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


def _covered(image: np.ndarray, cover: Rectangle) -> np.ndarray:
    tall, wide = cover.pixels.shape
    image[cover.top : cover.top + tall, cover.left : cover.left + wide] = cover.pixels
    return image
