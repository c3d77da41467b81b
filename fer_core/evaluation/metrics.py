"""How good scores are: the one piece of code behind every figure in cards and on pages."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from fer_core.emotions import LABELS

_INDEX = np.arange(len(LABELS))


def measure(probs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Measure scores against labels.

    Args:
        probs: float (n, 7), columns in the order of `LABELS`; n at least 1.
        labels: int (n,), the true index into `LABELS`.

    Returns:
        `images`; `accuracy` with its 95 % Wilson interval `accuracy_95` (low, high); `top2`, how often
        the label is among the two highest scores; `macro_f1`; `balanced_accuracy`, the mean recall of
        the expressions that occur; `log_loss` in nats; `by_label`, for each expression its
        `precision`, `recall`, `f1` and `support` (images); `confusion` (7, 7) as nested lists, rows
        true, columns predicted. Shares run from 0 to 1.
    """
    predicted = probs.argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted, labels=_INDEX, zero_division=0)
    by_label = {
        label: {
            "precision": float(precision[k]),
            "recall": float(recall[k]),
            "f1": float(f1[k]),
            "support": int(support[k]),
        }
        for k, label in enumerate(LABELS)
    }
    unit = np.clip(probs.astype(np.float64), 1e-12, None)
    return {
        "images": len(labels),
        "accuracy": float(accuracy_score(labels, predicted)),
        "accuracy_95": interval_95(int(np.sum(predicted == labels)), len(labels)),
        "top2": float(top_k_accuracy_score(labels, probs, k=2, labels=_INDEX)),
        "macro_f1": float(f1.mean()),
        "balanced_accuracy": float(recall[support > 0].mean()),
        "log_loss": float(log_loss(labels, unit / unit.sum(axis=1, keepdims=True), labels=_INDEX)),
        "by_label": by_label,
        "confusion": confusion_matrix(labels, predicted, labels=_INDEX).tolist(),
    }


def interval_95(correct: int, images: int) -> list[float]:
    """Return the 95 % interval (low, high) of a share by Wilson's score method."""
    interval = binomtest(correct, images).proportion_ci(0.95, method="wilson")
    return [float(interval.low), float(interval.high)]
