"""Random changes of training faces where the network trains, as one function of Keras operations.

The processor's path, `augmentation`, says what a change is; here each is computed as OpenCV computes it, down to where
it rounds, so that a run sees the same faces on both paths, to within a gray level at nearly every pixel. JPEG too:
of what it does to a gray picture, only the rounding of 8 × 8 cosine transforms loses anything.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from keras import ops
from PIL import Image

from fer_core.training.config import Augmentation
from fer_core.training.loop.augmentation import REACH, rows_a_pass
from fer_core.training.loop.changes import JPEG_QUALITY, Changes

# A tensor of whichever backend Keras has.
Tensor = Any
# The blur's kernel is the widest for a standard deviation of one pixel.
_KERNEL = 7
# OpenCV looks up where a pixel comes from in 1/32 of a pixel, and weighs its neighbours by this cubic.
_SUBPIXELS = 32
_CUBIC = -0.75
_BLOCK = 8
# Fixed sizes keep a step compiled; a batch with more faces of a kind than this many deviations allow is rare.
_DEVIATIONS = 6


def packed(changes: Changes, how: Augmentation, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Return changes as arrays whose shapes depend on `shape`, (n, h, w), and `how` alone; see `changed_on_device`."""
    n, height, width = shape
    arrays = {"mirrored": changes.mirrored} if changes.warp is None else {"warp": changes.warp}
    if changes.contrast is not None:
        arrays |= {"contrast": changes.contrast, "brightness": changes.brightness}
    if how.blur:
        arrays["kernel"] = np.stack([_kernel(changes.blur.get(i)) for i in range(n)])
    if how.noise:
        # Faces are whole numbers, so adding the noise and rounding is adding the rounded noise.
        noise = {i: np.clip(np.rint(values), -127, 127).astype(np.int8) for i, values in changes.noise.items()}
        arrays["noise"], arrays["noise_of"] = _compact(noise, how.noise, shape, np.int8)
    if how.jpeg:
        arrays["quality"] = np.array([changes.jpeg.get(i, 0) for i in range(n)], np.int32)
    if how.erase:
        covers = {i: np.zeros((height, width), np.uint8) for i in changes.erased}
        arrays["covered"] = np.zeros((n, 4), np.int32)  # top, bottom, left, right
        for i, cover in changes.erased.items():
            bottom, right = np.add((cover.top, cover.left), cover.pixels.shape)
            covers[i][cover.top : bottom, cover.left : right] = cover.pixels
            arrays["covered"][i] = cover.top, bottom, cover.left, right
        arrays["cover"], arrays["cover_of"] = _compact(covers, how.erase, shape, np.uint8)
    return arrays


def changed_on_device(faces: Tensor, arrays: Mapping[str, Tensor]) -> Tensor:
    """Return faces, float32 (n, h, w) of whole numbers 0 to 255, with the changes that `packed` describes."""
    if "warp" in arrays:
        faces = _warped(faces, arrays["warp"])
    elif "mirrored" in arrays:
        faces = ops.where(arrays["mirrored"][:, None, None], ops.flip(faces, axis=2), faces)
    if "contrast" in arrays:
        faces = _lit(faces, arrays["contrast"][:, None, None], arrays["brightness"][:, None, None])
    if "kernel" in arrays:
        faces = _blurred(faces, arrays["kernel"])
    if "noise" in arrays:
        faces = ops.clip(faces + _float(ops.take(arrays["noise"], arrays["noise_of"], axis=0)), 0, 255)
    if "quality" in arrays:
        compressed = _compressed(faces, arrays["quality"])
        faces = ops.where((arrays["quality"] > 0)[:, None, None], compressed, faces)
    if "cover" in arrays:
        cover = _float(ops.take(arrays["cover"], arrays["cover_of"], axis=0))
        faces = ops.where(_inside(arrays["covered"], faces.shape[1:]), cover, faces)
    return faces


def mixed_on_device(values: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    """Return each of n values, float32 (n, …), mixed with that of its partner, int32 (n,), by its share, (n,)."""
    share = ops.reshape(share, (-1, *[1] * (len(values.shape) - 1)))
    return values * share + ops.take(values, partner, axis=0) * (1 - share)


def area_matrix(size: int, width: int) -> np.ndarray:
    """Return float32 (width, size): what rows of `width` pixels are multiplied by to be resized as `resize` does."""
    if size == width:
        return np.eye(width, dtype=np.float32)
    return cv2.resize(np.eye(width, dtype=np.float32), (size, width), interpolation=cv2.INTER_AREA)


def resized_on_device(faces: Tensor, matrix: Tensor) -> Tensor:
    """Return faces, float32 (n, w, w), in the size of an `area_matrix`."""
    across = ops.matmul(faces, matrix)
    return ops.swapaxes(ops.matmul(ops.swapaxes(across, 1, 2), matrix), 1, 2)


def _float(values: Tensor) -> Tensor:
    return ops.cast(values, "float32")


def _compact(
    values: Mapping[int, np.ndarray], share: float, shape: tuple[int, int, int], dtype: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of some faces, (m, h, w), and for each face the number of its value, int32 (n,).

    The last value is 0: that of the faces that have none.
    """
    n, height, width = shape
    likely = int(np.ceil(n * share + _DEVIATIONS * np.sqrt(n * share * (1 - share))))
    count = min(n, likely) if len(values) <= likely else n
    compact, of = np.zeros((count + 1, height, width), dtype), np.full(n, count, np.int32)
    for number, (i, value) in enumerate(values.items()):
        compact[number], of[i] = value, number
    return compact, of


@lru_cache(maxsize=1)
def _no_kernel() -> np.ndarray:
    return np.eye(1, _KERNEL, _KERNEL // 2, dtype=np.float32)[0]


def _kernel(sigma_px: float | None) -> np.ndarray:
    """Return a blur's kernel, float32 (7,), in the width that OpenCV gives it; one that leaves a face as it is."""
    if sigma_px is None:
        return _no_kernel()
    width = round(6 * sigma_px + 1) | 1
    exact, kernel, rest = cv2.getGaussianKernel(width, sigma_px)[:, 0] * 256, np.zeros(_KERNEL, np.float32), 0.0
    middle = _KERNEL // 2
    for i in range(width // 2):  # in 256ths; what rounding leaves goes on to the next
        value = np.rint(exact[i] + rest)
        rest += exact[i] - value
        kernel[[middle - width // 2 + i, middle + width // 2 - i]] = value
    kernel[middle] = 256 - kernel.sum()
    return kernel / 256


def _warped(faces: Tensor, warp: Tensor) -> Tensor:
    height, width = faces.shape[1:]
    x = ops.reshape(ops.arange(width, dtype="float32") - (width - 1) / 2, (1, 1, width))
    y = ops.reshape(ops.arange(height, dtype="float32") - (height - 1) / 2, (1, height, 1))
    a, b, c, d, u, v = (warp[:, i][:, None, None] for i in range(6))
    from_x = ops.clip(a * x + b * y + u, 0, width - 1)
    from_y = ops.clip(c * x + d * y + v, 0, height - 1)
    # In the tall picture of the processor's path a row's number is large, which decides how it is rounded.
    number = ops.arange(ops.shape(faces)[0], dtype="int32") % rows_a_pass(height)
    top = _float(number * (height + 2 * REACH) + REACH)[:, None, None]
    in_x = ops.round(from_x * _SUBPIXELS)
    in_y = ops.round((from_y + top) * _SUBPIXELS) - top * _SUBPIXELS
    left, above = ops.floor(in_x / _SUBPIXELS), ops.floor(in_y / _SUBPIXELS)
    weights_x, weights_y = (_cubic(at / _SUBPIXELS - low) for at, low in ((in_x, left), (in_y, above)))
    flat = ops.reshape(faces, (-1, height * width))
    total = ops.zeros_like(faces)
    for j in range(4):
        row = ops.clip(above + (j - 1), 0, height - 1) * width
        for i in range(4):
            place = ops.cast(row + ops.clip(left + (i - 1), 0, width - 1), "int32")
            taken = ops.take_along_axis(flat, ops.reshape(place, (-1, height * width)), axis=1)
            total = total + weights_y[j] * weights_x[i] * ops.reshape(taken, (-1, height, width))
    return ops.clip(ops.round(total), 0, 255)


def _cubic(t: Tensor) -> list[Tensor]:
    """Return the weights of the four pixels around a place that is t, 0 to 1, past the second of them."""

    def near(t: Tensor) -> Tensor:
        return ((_CUBIC + 2) * t - (_CUBIC + 3)) * t * t + 1

    before = _CUBIC * t * (1 - t) * (1 - t)
    return [before, near(t), near(1 - t), 1 - before - near(t) - near(1 - t)]


def _lit(faces: Tensor, contrast: Tensor, brightness: Tensor) -> Tensor:
    mean = ops.mean(faces, axis=(1, 2), keepdims=True)
    return ops.floor(ops.clip(faces * contrast + (mean * (1 - contrast) + brightness), 0, 255))


def _blurred(faces: Tensor, kernel: Tensor) -> Tensor:
    blurred = faces
    for axis in (2, 1):
        length, reach = faces.shape[axis], _KERNEL // 2
        padded = ops.take(blurred, np.clip(np.arange(-reach, length + reach), 0, length - 1), axis=axis)
        parts = [padded[:, :, i : i + length] if axis == 2 else padded[:, i : i + length] for i in range(_KERNEL)]
        blurred = sum(kernel[:, i][:, None, None] * part for i, part in enumerate(parts))
    return _half_up(blurred)


@lru_cache(maxsize=1)
def _quantization() -> np.ndarray:
    """Return float32 (q, 8, 8): the steps of a JPEG of each quality up to the highest drawn, as OpenCV writes them."""
    tables = [np.ones(_BLOCK**2)]  # of faces that are not compressed
    for quality in range(1, JPEG_QUALITY[1] + 1):
        file = cv2.imencode(".jpg", np.zeros((8, 8), np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        tables.append(np.array(Image.open(io.BytesIO(file.tobytes())).quantization[0]))
    return np.reshape(tables, (-1, _BLOCK, _BLOCK)).astype(np.float32)


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    """Return the cosine transform of eight numbers, float32 (8, 8), √8 times the orthogonal one."""
    k, n = np.mgrid[:_BLOCK, :_BLOCK]
    cosines = np.sqrt(2) * np.cos((2 * n + 1) * k * np.pi / (2 * _BLOCK))
    cosines[0] = 1
    return cosines.astype(np.float32)


def _half_up(values: Tensor) -> Tensor:
    return ops.floor(values + 0.5)


def _products(values: Tensor, matrix: np.ndarray) -> Tensor:
    """Return the products of a matrix (8, 8) with the rows of values (…, 8, 8).

    As sums: a graphics processor multiplies matrices with fewer digits than the codec's whole numbers have.
    """
    return ops.sum(values[..., None, :] * matrix, axis=-1)


def _columns(values: Tensor, matrix: np.ndarray) -> Tensor:
    return ops.swapaxes(_products(ops.swapaxes(values, -1, -2), matrix), -1, -2)


def _compressed(faces: Tensor, quality: Tensor) -> Tensor:
    """Return faces (n, h, w), h and w multiples of 8, as they come back from a JPEG of their quality, int32 (n,)."""
    height, width = faces.shape[1:]
    cosines = _cosines()
    steps = ops.take(_quantization(), quality, axis=0)[:, None, None]
    blocks = ops.reshape(faces - 128, (-1, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK))
    blocks = ops.transpose(blocks, (0, 1, 3, 2, 4))
    # The codec works in whole numbers: with two bits more after the first pass, and 8 times as much after the second.
    rows = _half_up(_products(blocks, cosines) * 4)
    frequencies = _half_up(_columns(rows, cosines) / 4)
    kept = ops.sign(frequencies) * ops.floor(ops.abs(frequencies) / (8 * steps) + 0.5) * steps
    columns = _half_up(_columns(kept, cosines.T) * 4)
    pixels = _half_up(_products(columns, cosines.T) / 32) + 128
    pixels = ops.reshape(ops.transpose(pixels, (0, 1, 3, 2, 4)), (-1, height, width))
    return ops.clip(pixels, 0, 255)


def _inside(covered: Tensor, size: tuple[int, int]) -> Tensor:
    """Return bool (n, h, w): what lies inside rectangles, int32 (n, 4) of top, bottom, left and right."""
    y = ops.reshape(ops.arange(size[0], dtype="int32"), (1, size[0], 1))
    x = ops.reshape(ops.arange(size[1], dtype="int32"), (1, 1, size[1]))
    top, bottom, left, right = (covered[:, i][:, None, None] for i in range(4))
    return (y >= top) & (y < bottom) & (x >= left) & (x < right)
