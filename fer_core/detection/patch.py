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
    height, width = gray.shape
    side = max(1, round(reach * float(max(xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]))))
    left = round(float(xyxy[0] + xyxy[2] - side) / 2)
    top = round(float(xyxy[1] + xyxy[3] - side) / 2)
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        square = gray[top : top + side, left : left + side]
    else:
        rows = np.clip(np.arange(top, top + side), 0, height - 1)
        columns = np.clip(np.arange(left, left + side), 0, width - 1)
        square = gray[np.ix_(rows, columns)]
    mode = cv2.INTER_AREA if side > size_px else cv2.INTER_CUBIC
    return cv2.resize(square, (size_px, size_px), interpolation=mode)
