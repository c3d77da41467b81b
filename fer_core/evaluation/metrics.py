"""How good scores are: the one piece of code behind every figure in cards and on pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

from fer_core.data.votes import NEGATIVE_INDEX, clear_expression, has_votes, supported_negatives
from fer_core.emotions import LABELS

# From this score on a wrong answer is a confident one.
CONFIDENT = 0.5


@dataclass(frozen=True)
class LabelMetrics:
    """Figures of one class, 0 to 1; `support` is the number of its faces."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Metrics:
    """Scores against one truth. Shares run from 0 to 1.

    Attributes:
        images: faces measured.
        accuracy: share of faces whose highest score is the true class.
        accuracy_95: its 95 % Wilson interval (low, high).
        macro_f1: mean F1 of the classes.
        balanced_accuracy: mean recall of the classes that occur.
        confusion: counts (k, k) in the order of `class_names`, rows true, columns predicted.
        top2: how often the truth is among the two highest scores; None where an old card lacks it.
        log_loss: in nats; None where an old card lacks it.
        class_names: of the k classes.
    """

    images: int
    accuracy: float
    accuracy_95: tuple[float, float]
    macro_f1: float
    balanced_accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    top2: float | None = None
    log_loss: float | None = None
    class_names: tuple[str, ...] = LABELS

    @cached_property
    def by_label(self) -> Mapping[str, LabelMetrics]:
        """Precision, recall, F1 and support of each class; 0 where there is nothing to divide by."""
        counts = np.asarray(self.confusion)
        hits, support, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
        precision, recall = hits / np.maximum(predicted, 1), hits / np.maximum(support, 1)
        f1 = 2 * hits / np.maximum(support + predicted, 1)
        return {
            label: LabelMetrics(float(precision[k]), float(recall[k]), float(f1[k]), int(support[k]))
            for k, label in enumerate(self.class_names)
        }


@dataclass(frozen=True)
class Proportion:
    """A share of faces, 0 to 1, of how many, and its 95 % Wilson interval (low, high)."""

    images: int
    share: float
    share_95: tuple[float, float]


@dataclass(frozen=True)
class ClearFaces:
    """Scores on the faces for which at least 8 of 10 people saw the same of the seven expressions.

    Attributes:
        images: number of these faces.
        accuracy: share of them that is recognised, with its 95 % interval `accuracy_95`.
        balanced_accuracy: mean recall of the expressions that occur among them.
        confident_errors: share of them that is wrong with a score of at least 50 %.
    """

    images: int
    accuracy: float
    accuracy_95: tuple[float, float]
    balanced_accuracy: float
    confident_errors: float


@dataclass(frozen=True)
class PeopleMetrics:
    """Whether scores agree with people where people agree with each other; None where there is no such face.

    Attributes:
        clear: on the clear faces.
        neutral_called_negative: share of the clear neutral faces that is called angry, disgusted, fearful or sad.
        negatives_found: share of the supported negatives that is recognised: faces labelled angry, disgusted,
            fearful or sad for which at least 4 of 10 people saw the same.
    """

    clear: ClearFaces | None
    neutral_called_negative: Proportion | None
    negatives_found: Proportion | None


def measure(probs: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...] = LABELS) -> Metrics:
    """Measure scores against labels.

    Args:
        probs: float (n, k), columns in the order of `class_names`; n at least 1.
        labels: int (n,), the true index into `class_names`.
        class_names: of the k classes.
    """
    predicted, index = probs.argmax(axis=1), np.arange(len(class_names))
    confusion = confusion_matrix(labels, predicted, labels=index)
    hits, support = np.diag(confusion), confusion.sum(axis=1)
    f1 = 2 * hits / np.maximum(support + confusion.sum(axis=0), 1)
    unit = np.clip(probs.astype(np.float64), 1e-12, None)
    return Metrics(
        images=len(labels),
        accuracy=float(accuracy_score(labels, predicted)),
        accuracy_95=interval_95(int(hits.sum()), len(labels)),
        macro_f1=float(f1.mean()),
        balanced_accuracy=float((hits[support > 0] / support[support > 0]).mean()),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        top2=float(np.mean((np.argsort(probs, axis=1, kind="stable")[:, -2:] == labels[:, None]).any(axis=1))),
        log_loss=float(log_loss(labels, unit / unit.sum(axis=1, keepdims=True), labels=index)),
        class_names=class_names,
    )


def measure_people(probs: np.ndarray, votes: np.ndarray, labels: np.ndarray) -> PeopleMetrics | None:
    """Measure scores where people agree about a face.

    Args:
        probs: float (n, 7), calibrated scores in the order of `LABELS`.
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`; faces without votes are left out.
        labels: int (n,), the data set's own labels, index into `LABELS`.

    Returns:
        The figures; None if nobody voted on any of the faces.
    """
    if not has_votes(votes).any():
        return None
    clear, predicted = clear_expression(votes), probs.argmax(axis=1)
    negative, supported = np.isin(predicted, NEGATIVE_INDEX), supported_negatives(votes, labels)
    return PeopleMetrics(
        clear=_measure_clear(probs[clear >= 0], clear[clear >= 0]),
        neutral_called_negative=_proportion(negative[clear == LABELS.index("neutral")]),
        negatives_found=_proportion((predicted == labels)[supported >= 0]),
    )


def interval_95(correct: int, images: int) -> tuple[float, float]:
    """Return the 95 % interval (low, high) of a share by Wilson's score method."""
    interval = binomtest(correct, images).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _measure_clear(probs: np.ndarray, clear: np.ndarray) -> ClearFaces | None:
    if not len(clear):
        return None
    metrics = measure(probs, clear)
    wrong = probs.argmax(axis=1) != clear
    return ClearFaces(
        images=metrics.images,
        accuracy=metrics.accuracy,
        accuracy_95=metrics.accuracy_95,
        balanced_accuracy=metrics.balanced_accuracy,
        confident_errors=float(np.mean(wrong & (probs.max(axis=1) >= CONFIDENT))),
    )


def _proportion(hits: np.ndarray) -> Proportion | None:
    """Return the share of `hits`, bool (n,), None without any face."""
    if not len(hits):
        return None
    return Proportion(len(hits), float(hits.mean()), interval_95(int(hits.sum()), len(hits)))
