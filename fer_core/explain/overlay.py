"""Lay a map over its face so that both can be read: the face in lightness, the map in colour."""

from __future__ import annotations

import cv2
import numpy as np

# CIELAB: lightness 0 to 100, then green to red and blue to yellow. Of equal chroma, told apart by
# colour-blind people since they differ along blue to yellow.
_FOR = (64.0, 42.0, 62.0)
_AGAINST = (56.0, -4.0, -48.0)
# The face keeps within this lightness, since near black and white there is no colour to see.
_LIGHTNESS = (18.0, 88.0)
# How far the strongest colour draws the lightness of the face to its own.
_DRAWN = 0.45


def overlay(face: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return a face in the colours of a map: orange where it is above 0, blue where it is below.

    The colour grows evenly with the map as the eye sees it (its distance from gray in CIELAB is
    proportional to it), while light and dark stay the face's own.

    Args:
        face: uint8 (h, w), gray.
        heat: float (h, w), -1 to 1; what is beyond counts as -1 or 1.

    Returns:
        uint8 (h, w, 3), RGB.
    """
    share = np.clip(np.abs(heat), 0, 1).astype(np.float32)[..., None]
    hue = np.where((heat > 0)[..., None], np.float32(_FOR), np.float32(_AGAINST))
    low, high = _LIGHTNESS
    gray = cv2.cvtColor(cv2.merge([face] * 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., :1]
    gray = low + gray * (high - low) / 100
    lightness = gray + (hue[..., :1] - gray) * share * _DRAWN
    rgb = cv2.cvtColor(np.concatenate([lightness, hue[..., 1:] * share], axis=2), cv2.COLOR_LAB2RGB)
    return np.round(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
