"""Whether scores mean what they say: of all faces scored 80 %, eight in ten should be right.

Temperature scaling and the expected calibration error are those of Guo et al., On Calibration of
Modern Neural Networks (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from fer_core.models.temperature import LEAST

BINS = 15
# Where the faces that are answered should be right this often.
TARGET_ACCURACY = 0.8
_TEMPERATURES = (0.05, 20.0)


def fit_temperature(probs: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature, 0.05 to 20, under which the labels are likeliest.

    Args:
        probs: float (n, k), rows sum to 1.
        labels: int (n,), the true columns.
    """
    logits = np.log(np.clip(probs.astype(np.float64), LEAST, None))
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        top = scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0] - scaled[rows, labels]))

    low, high = np.log(_TEMPERATURES)
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


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
    """What is answered, and how often rightly, if faces with a low best score are not.

    Attributes:
        threshold: float (n,), best scores in falling order.
        answered: float (n,), share of all faces whose best score is at least the threshold.
        accuracy: float (n,), how often these are right.
    """

    threshold: np.ndarray
    answered: np.ndarray
    accuracy: np.ndarray

    def at(self, threshold: float) -> tuple[float, float | None]:
        """Return the share answered at `threshold` and how often it is right, None if nothing is."""
        number = int(np.sum(self.threshold >= threshold))
        return (float(self.answered[number - 1]), float(self.accuracy[number - 1])) if number else (0.0, None)

    def threshold_for(self, accuracy: float) -> float | None:
        """Return the lowest threshold at which what is answered is right at least this often; None if none is."""
        enough = np.flatnonzero(self.accuracy >= accuracy)
        return float(self.threshold[enough[-1]]) if len(enough) else None


def coverage(probs: np.ndarray, labels: np.ndarray) -> Coverage:
    """Return what every threshold answers.

    Args:
        probs: float (n, k), rows sum to 1; n at least 1.
        labels: int (n,), the true columns.
    """
    best, correct = probs.max(axis=1), probs.argmax(axis=1) == labels
    order = np.argsort(-best, kind="stable")
    number = np.arange(1, len(best) + 1)
    threshold, right = best[order], np.cumsum(correct[order])
    # Faces with equal scores are answered together: each row tells of the last of its equals.
    last = np.searchsorted(-threshold, -threshold, side="right") - 1
    return Coverage(threshold, number[last] / len(best), right[last] / number[last])
