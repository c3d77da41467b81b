"""Resize faces within a network the way OpenCV resizes 8-bit pictures, which is how most were trained.

OpenCV gives whole gray values and drops fractions on the way. A plain bilinear layer keeps them, and
a network that was trained on the one is up to a quarter of a point worse, or by luck better, on the other.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from fer_core.face_size import FACE_SIZE


def resize_bilinear(faces: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """Return (n, size, size, 1) of faces (n, 48, 48, 1), in whole gray values.

    Equal to `cv2.resize` of uint8 where `size` and 48 give fractions of a power of two, as 24, 32, 64
    and 96 do; elsewhere about one pixel in a hundred differs by one gray value.
    """
    wide = layers.Resizing(FACE_SIZE, size, name="resize_across")(faces)
    # The row that lies nearest to each new one, the row above that, and the row below.
    near, above, below = (
        layers.Resizing(size, size, interpolation="nearest", name=f"resize_{name}")(rows)
        for name, rows in (("near", wide), ("above", _shifted(wide, (1, 0, 0))), ("below", _shifted(wide, (0, 0, 1))))
    )
    near_upper, above_upper, near_lower, below_lower = _row_weights(size)
    # OpenCV drops what is below a quarter of a gray value from either row, then rounds their sum.
    upper = ops.floor(near * near_upper + above * above_upper)
    lower = ops.floor(near * near_lower + below * below_lower)
    return ops.floor((upper + lower + 2.0) * 0.25)


def _shifted(rows: keras.KerasTensor, kernel: tuple[int, int, int]) -> keras.KerasTensor:
    return ops.conv(rows, np.array(kernel, np.float32).reshape(3, 1, 1, 1), padding="same")


def _row_weights(size: int) -> list[np.ndarray]:
    """Return four times the shares of the rows that each new row is mixed of, each (1, size, 1, 1)."""
    place = (np.arange(size) + 0.5) * FACE_SIZE / size - 0.5
    above, last = np.floor(place), FACE_SIZE - 1
    share = np.round((place - above) * 2048) / 2048
    upper, lower = np.clip(above, 0, last), np.clip(above + 1, 0, last)
    near = np.floor(place + 0.5)
    weights = (
        (1 - share) * (upper == near),
        (1 - share) * (upper != near),
        share * (lower == near),
        share * (lower != near),
    )
    return [(4 * weight).astype(np.float32).reshape(1, size, 1, 1) for weight in weights]
