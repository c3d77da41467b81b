"""Whether scores mean what they say: of all faces scored 80 %, eight in ten should be right.

The expected calibration error is that of Guo et al., On Calibration of Modern Neural Networks (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from fer_core.models.temperature import LEAST, Temperature

BINS = 15
# How often faces above the threshold should be right.
TARGET_ACCURACY = 0.8
# Bounds of the search for a temperature.
_SCALES, _POWERS = (0.05, 20.0), (-2.0, 2.0)


def fit_temperature(probs: np.ndarray, labels: np.ndarray) -> Temperature:
    """Return the temperature under which it is likeliest that the best scores are right where they are, and wrong
    where they are not.

    It is fitted to what scores are read for here: how sure the answer is (top-label calibration; Gupta and Ramdas,
    Top-label calibration and multiclass-to-binary reductions, 2022).

    Args:
        probs: float (n, k), rows sum to 1; n at least 1.
        labels: int (n,), the true columns.

    Returns:
        One with a scale of 0.05 to 20 and a power of -2 to 2.
    """
    correct = probs.argmax(axis=1) == labels

    def loss(numbers: np.ndarray) -> float:
        best = Temperature(float(np.exp(numbers[0])), float(numbers[1])).apply(probs).max(axis=1).astype(np.float64)
        return -float(np.mean(np.log(np.clip(np.where(correct, best, 1 - best), LEAST, None))))

    fit = minimize(
        loss,
        np.zeros(2),
        method="Nelder-Mead",
        bounds=(np.log(_SCALES), _POWERS),
        options={"initial_simplex": [(0, 0), (0.2, 0), (0, 0.2)], "xatol": 1e-4, "fatol": 1e-7},
    )
    return Temperature(float(np.exp(fit.x[0])), float(fit.x[1]))


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence and accuracy in bins of equal width.

    Attributes:
        edges: float (bins + 1,), from 0 to 1.
        count: int (bins,), faces whose best score lies in the bin.
        confidence: float (bins,), their mean best score; NaN in an empty bin.
        accuracy: float (bins,), how often they are right; NaN in an empty bin.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error, 0 to 1: the mean gap between both, each bin by its faces."""
        gap = np.abs(self.confidence - self.accuracy)
        return float(np.nansum(gap * self.count) / self.count.sum())


def reliability(probs: np.ndarray, labels: np.ndarray, bins: int = BINS) -> Reliability:
    """Return how often scores of each height are right.

    Args:
        probs: float (n, k), rows sum to 1; n at least 1.
        labels: int (n,), the true columns.
        bins: number of bins of equal width.
    """
    best, correct = probs.max(axis=1), probs.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    # A score on an edge belongs to the bin below, as in the paper.
    where = np.clip(np.digitize(best, edges, right=True) - 1, 0, bins - 1)
    count = np.bincount(where, minlength=bins)
    some = np.where(count, count, np.nan)
    return Reliability(edges, count, np.bincount(where, best, bins) / some, np.bincount(where, correct, bins) / some)


@dataclass(frozen=True, eq=False)
class Coverage:
    """Selective accuracy: how many faces a threshold on the best score keeps, and how often these are right.

    Attributes:
        threshold: float (n,), best scores in falling order.
        coverage: float (n,), share of all faces whose best score is at least the threshold.
        accuracy: float (n,), how often these are right.
    """

    threshold: np.ndarray
    coverage: np.ndarray
    accuracy: np.ndarray

    def at_threshold(self, threshold: float) -> tuple[float, float | None]:
        """Return the coverage at `threshold` and the accuracy of the covered faces, None if there are none."""
        number = int(np.sum(self.threshold >= threshold))
        return (float(self.coverage[number - 1]), float(self.accuracy[number - 1])) if number else (0.0, None)

    def threshold_for(self, accuracy: float) -> float | None:
        """Return the lowest threshold at which covered faces are right at least this often; None if none is."""
        enough = np.flatnonzero(self.accuracy >= accuracy)
        return float(self.threshold[enough[-1]]) if len(enough) else None


def coverage(probs: np.ndarray, labels: np.ndarray) -> Coverage:
    """Return coverage and accuracy at every threshold.

    Args:
        probs: float (n, k), rows sum to 1; n at least 1.
        labels: int (n,), the true columns.
    """
    best, correct = probs.max(axis=1), probs.argmax(axis=1) == labels
    order = np.argsort(-best, kind="stable")
    number = np.arange(1, len(best) + 1)
    threshold, right = best[order], np.cumsum(correct[order])
    # Faces with equal scores are covered together: each row holds the figures of the last of its equals.
    last = np.searchsorted(-threshold, -threshold, side="right") - 1
    return Coverage(threshold, number[last] / len(best), right[last] / number[last])
