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


def box_ios(a: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the area a box (4,) shares with each of others (n, 4) as a part of the smaller one, float (n,), 0 to 1.

    A box within another counts 1.
    """
    sides = np.clip(np.minimum(a[2:], others[:, 2:]) - np.maximum(a[:2], others[:, :2]), 0, None)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    return sides.prod(axis=1) / np.minimum((a[2:] - a[:2]).prod(), areas)


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
        if (box_ios(detections.xyxy[j], detections.xyxy[kept]) < SAME_FACE).all():
            kept.append(int(j))
    return detections[kept]
