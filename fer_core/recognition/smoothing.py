"""Scores averaged over time for each face, independent of the frame rate."""

from __future__ import annotations

import math

import numpy as np


class ScoreSmoother:
    """An exponential filter for the scores of each face of a stream. Not thread-safe.

    Args:
        forget_s: seconds out of sight after which a face begins anew.
    """

    def __init__(self, forget_s: float) -> None:
        self._forget_s = forget_s
        self._scores: dict[int, tuple[float, np.ndarray]] = {}  # per track: when last updated, (k,)

    def reset(self) -> None:
        """Forget all faces."""
        self._scores = {}

    def update(self, track_ids: list[int], probs: np.ndarray, time_s: float, smoothing_s: float) -> np.ndarray:
        """Return the filtered scores, float32 (n, k).

        Args:
            track_ids: number of each of the n faces.
            probs: float32 (n, k), their scores in the frame.
            time_s: when, in seconds; not before the frame before.
            smoothing_s: time constant in seconds; 0 returns the scores as they are.
        """
        self._scores = {i: known for i, known in self._scores.items() if time_s - known[0] <= self._forget_s}
        for track_id, now in zip(track_ids, probs, strict=True):
            then_s, before = self._scores.get(track_id, (time_s, now))
            weight = 1.0 - math.exp(-(time_s - then_s) / smoothing_s) if smoothing_s > 0 else 1.0
            self._scores[track_id] = time_s, before + weight * (now - before)
        return np.array([self._scores[i][1] for i in track_ids], np.float32).reshape(probs.shape)
