"""Random changes of training faces, on whole batches in numpy and OpenCV.

They need neither Keras nor a graphics processor, run beside the training step, and take their
generator as an argument, so that a resumed run changes each face as the uninterrupted one would.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from fer_core.training.config import Augmentation

# cv2.remap takes pictures of at most 32,767 rows.
_MAX_ROWS = 32_767
# Cubic interpolation takes two pixels on either side.
_REACH = 2
# How far the changes go that only some faces have; the configuration's words say the same.
_BLUR_PX = (0.3, 1.0)
_NOISE = 0.04
_JPEG_QUALITY = (30, 90)
_ERASED_SHARE = (0.02, 0.15)


def augment(images: np.ndarray, how: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return changed copies of faces.

    Args:
        images: uint8 (n, h, w).
        how: which changes, and how far at most.
        rng: the source of chance.

    Returns:
        uint8 (n, h, w).
    """
    faces = _warp(images, how, rng)
    if how.brightness or how.contrast:
        faces = _light(faces, how, rng)
    # In a camera's order: the lens, the sensor, what sends its pictures, and what stands before it.
    for share, change in ((how.blur, _blurred), (how.noise, _noisy), (how.jpeg, _compressed), (how.erase, _erased)):
        if share:
            faces = _some(faces, share, change, rng)
    return faces


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Return faces (n, h, w), uint8 or float32, in `size` × `size` pixels, each the average of what it covers."""
    if images.shape[1:] == (size, size):
        return images
    return np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])


def mix(
    images: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mix each face and its target with another of the batch (mixup, arXiv 1710.09412).

    Args:
        images: (n, h, w), any number type.
        targets: float32 (n, k), rows sum to 1.
        alpha: of Beta(alpha, alpha), from which each face's share of itself is drawn; over 0.
        rng: the source of chance.

    Returns:
        float32 (n, h, w) and float32 (n, k); rows sum to 1.
    """
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    partner = rng.permutation(len(images))
    faces = images.astype(np.float32)
    in_images, in_targets = share[:, None, None], share[:, None]
    return (
        faces * in_images + faces[partner] * (1 - in_images),
        targets * in_targets + targets[partner] * (1 - in_targets),
    )


def _warp(images: np.ndarray, how: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Mirror, turn, scale and shift in one pass; what would come from outside comes from the border."""
    n, height, width = images.shape
    angle = np.deg2rad(rng.uniform(-how.rotate_deg, how.rotate_deg, n))
    size = 1 + rng.uniform(-how.scale, how.scale, n)
    shift = rng.uniform(-how.shift, how.shift, (n, 2)) * (width, height)
    # Resampling softens a picture however it is done: a network that never saw a sharp one does worse on them.
    kept = rng.random(n) >= how.warp
    angle[kept], size[kept], shift[kept] = 0, 1, 0
    mirror = np.where(rng.random(n) < how.flip, -1.0, 1.0)
    if not (how.rotate_deg or how.scale or how.shift):
        return np.where(mirror[:, None, None] < 0, images[:, :, ::-1], images)
    cos, sin = np.cos(angle) / size, np.sin(angle) / size
    # (n, 1, 1) coefficients times (1, h, w) grids: where each target pixel comes from.
    y, x = (grid[None] for grid in np.mgrid[:height, :width].astype(np.float32))
    x, y = x - (width - 1) / 2, y - (height - 1) / 2
    a, b, c, d, u, v = (
        value.astype(np.float32)[:, None, None]
        for value in (
            cos * mirror,
            sin * mirror,
            -sin,
            cos,
            shift[:, 0] + (width - 1) / 2,
            shift[:, 1] + (height - 1) / 2,
        )
    )
    from_x = np.clip(a * x + b * y + u, 0, width - 1)
    from_y = np.clip(c * x + d * y + v, 0, height - 1)
    step = _MAX_ROWS // (height + 2 * _REACH)
    return np.concatenate(
        [_remap(images[i : i + step], from_x[i : i + step], from_y[i : i + step]) for i in range(0, n, step)]
    )


def _remap(images: np.ndarray, from_x: np.ndarray, from_y: np.ndarray) -> np.ndarray:
    # All faces as one tall picture, so that cv2 is called once. Each repeats its own first and last
    # row as far as the interpolation reaches, so none borrows from the next.
    n, height, width = images.shape
    tall = np.pad(images, ((0, 0), (_REACH, _REACH), (0, 0)), "edge")
    rows = from_y + (np.arange(n, dtype=np.float32) * tall.shape[1] + _REACH)[:, None, None]
    warped = cv2.remap(
        tall.reshape(-1, width),
        from_x.reshape(n * height, width),
        rows.reshape(n * height, width),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped.reshape(n, height, width)


def _light(images: np.ndarray, how: Augmentation, rng: np.random.Generator) -> np.ndarray:
    n = len(images)
    contrast = (1 + rng.uniform(-how.contrast, how.contrast, n)).astype(np.float32)[:, None, None]
    brightness = (255 * rng.uniform(-how.brightness, how.brightness, n)).astype(np.float32)[:, None, None]
    mean = images.mean(axis=(1, 2), dtype=np.float32)[:, None, None]
    faces = images.astype(np.float32)
    faces *= contrast
    faces += mean * (1 - contrast) + brightness
    return np.clip(faces, 0, 255, out=faces).astype(np.uint8)


def _some(
    images: np.ndarray,
    share: float,
    change: Callable[[np.ndarray, np.random.Generator], np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    chosen = np.flatnonzero(rng.random(len(images)) < share)
    images = images.copy()
    for i in chosen:
        images[i] = change(images[i], rng)
    return images


def _blurred(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(*_BLUR_PX), borderType=cv2.BORDER_REPLICATE)


def _noisy(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(image.shape, np.float32) * (255 * rng.uniform(0, _NOISE))
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def _compressed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    quality = int(rng.integers(*_JPEG_QUALITY, endpoint=True))
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


def _erased(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape
    area, ratio = rng.uniform(*_ERASED_SHARE) * height * width, np.exp(rng.uniform(np.log(0.4), np.log(2.5)))
    tall = int(np.clip(np.sqrt(area * ratio), 1, height))
    wide = int(np.clip(np.sqrt(area / ratio), 1, width))
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    image[top : top + tall, left : left + wide] = rng.integers(0, 256, (tall, wide), np.uint8)
    return image
