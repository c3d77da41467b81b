"""How far the camera turned between two frames: faces are then looked for where they are, not where they were.

A pan moves all faces by the same distance. Where frames are far apart, on a busy server, that is as much as one face is
from the next: numbers would be lost, or go over to a neighbour.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

_SMALL_WH = (96, 72)
_MIN_RESPONSE = 0.12  # what two pictures have in common by phase correlation, 0 to 1
_MIN_SHIFT = 0.03  # of the frame's width; less is left to the tracker


def camera_shift(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return by how much the picture as a whole moved.

    Args:
        before: uint8 (h, w), a frame.
        now: uint8 (h, w), a later one.

    Returns:
        float32 (2,): to the right and down, in pixels; zeros where it moved by little or that cannot be told.
    """
    first, second = (
        cv2.resize(gray, _SMALL_WH, interpolation=cv2.INTER_AREA).astype(np.float32) for gray in (before, now)
    )
    shift, response = cv2.phaseCorrelate(first, second, _window())
    pixels = np.array(shift) * (now.shape[1] / _SMALL_WH[0], now.shape[0] / _SMALL_WH[1])
    if response < _MIN_RESPONSE or np.abs(pixels).max() < _MIN_SHIFT * now.shape[1]:
        return np.zeros(2, np.float32)
    return pixels.astype(np.float32)


@cache
def _window() -> np.ndarray:
    return cv2.createHanningWindow(_SMALL_WH, cv2.CV_32F)
