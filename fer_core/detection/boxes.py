"""Verbs for boxes: how much two of them share, and one box for each face."""

from __future__ import annotations

import numpy as np

from fer_core.types import Detections

SAME_FACE = 0.45  # overlap from which two boxes are one face


def centers(xyxy: np.ndarray) -> np.ndarray:
    """Return the middle of each box, (n, 2), of boxes (n, 4)."""
    return (xyxy[:, :2] + xyxy[:, 2:]) / 2


def box_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Return the intersection over union of two boxes (4,), 0 to 1."""
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    shared = float(sides.prod())
    return shared / (float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - shared)


def box_ios(a: np.ndarray, b: np.ndarray) -> float:
    """Return the area two boxes (4,) share as a part of the smaller one, 0 to 1: a box within another counts 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return float(width * height / smaller)


def join(several: list[Detections]) -> Detections:
    """Return the detections of several searches of one image together, duplicates included."""
    several = [Detections.empty(), *several]
    return Detections(np.concatenate([d.xyxy for d in several]), np.concatenate([d.score for d in several]))


def non_max_suppression(detections: Detections) -> Detections:
    """Return the detections with one box for each face, best first.

    The best has the highest score times side: what is found within a face, such as a mouth, is smaller.
    """
    kept: list[int] = []
    side = detections.xyxy[:, 2] - detections.xyxy[:, 0]
    for j in np.argsort(-detections.score * side, kind="stable"):
        if all(box_ios(detections.xyxy[j], detections.xyxy[k]) < SAME_FACE for k in kept):
            kept.append(int(j))
    return Detections(detections.xyxy[kept], detections.score[kept])
