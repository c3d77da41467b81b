"""Cutting a square out of a picture: for the second look at a face, its tracking and its classification alike."""

from __future__ import annotations

import cv2
import numpy as np


def cut_square(gray: np.ndarray, xyxy: np.ndarray, reach: float, size_px: int) -> np.ndarray:
    """Return the square around a box, resized.

    Args:
        gray: uint8 (h, w).
        xyxy: (4,), the box in pixels; a box that is not square counts as the square of its longer side.
        reach: side of the square in sides of the box. Where it leaves the image, the border is repeated.
        size_px: side of what is returned.

    Returns:
        uint8 (size_px, size_px).
    """
    return _resized(square_around(gray, xyxy, reach), size_px)


def cut_square_quickly(gray: np.ndarray, xyxy: np.ndarray, reach: float, size_px: int) -> np.ndarray:
    """Return what `cut_square` returns, but for rounding, in a fraction of the time where it is reduced much."""
    square = square_around(gray, xyxy, reach)
    while (half := len(square) // 2) >= 2 * size_px:  # halving is several times faster than other ratios
        square = cv2.resize(square[: 2 * half, : 2 * half], (half, half), interpolation=cv2.INTER_AREA)
    return _resized(square, size_px)


def square_around(gray: np.ndarray, xyxy: np.ndarray, reach: float) -> np.ndarray:
    """Return the square around a box at its own size, at least a pixel; arguments as of `cut_square`."""
    height, width = gray.shape
    side = max(1, round(reach * float(max(xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]))))
    left = round(float(xyxy[0] + xyxy[2] - side) / 2)
    top = round(float(xyxy[1] + xyxy[3] - side) / 2)
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        return gray[top : top + side, left : left + side]
    # At least a pixel of the image, even for a box that lies outside of it.
    x, y = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    right, bottom = max(min(left + side, width), x + 1), max(min(top + side, height), y + 1)
    before = max(0, y - top), max(0, x - left)
    after = max(0, top + side - bottom), max(0, left + side - right)
    edged = cv2.copyMakeBorder(gray[y:bottom, x:right], before[0], after[0], before[1], after[1], cv2.BORDER_REPLICATE)
    return edged[:side, :side]


def _resized(square: np.ndarray, size_px: int) -> np.ndarray:
    mode = cv2.INTER_AREA if len(square) > size_px else cv2.INTER_CUBIC
    return cv2.resize(square, (size_px, size_px), interpolation=mode)
