"""What scores are held against: the data set's own labels, or what most of ten people saw in each face."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.data.votes import unique_majority


class Truth(StrEnum):
    """What counts as the true expression of a face."""

    MAJORITY = "majority"
    LABELS = "labels"


def truth_of(label_set: str) -> Truth:
    """Return what the scores of a label set are held against: votes for "people" and "votes", else the labels."""
    return Truth.LABELS if label_set == "fer" else Truth.MAJORITY


def truths(faces: FaceSet, rows: np.ndarray) -> tuple[Truth, ...]:
    """Return what scores of some rows can be held against, the default first: votes where there are any."""
    has_majority = faces.votes is not None and (unique_majority(faces.votes[rows]) >= 0).any()
    return (Truth.MAJORITY, Truth.LABELS) if has_majority else (Truth.LABELS,)


def true_labels(faces: FaceSet, rows: np.ndarray, truth: Truth) -> np.ndarray:
    """Return the true expression of some rows, int64 (n,): index into the class names, -1 where there is none.

    Raises:
        ValueError: the majority is asked for and the data set has no votes.
    """
    if truth is Truth.LABELS:
        return faces.labels[rows]
    if faces.votes is None:
        raise ValueError("the data set has no votes; ask `truths` first")
    return unique_majority(faces.votes[rows])


def answering_label_set(label_sets: Sequence[str], truth: Truth) -> str:
    """Return which of a model's label sets is held against a truth: the first made for it, else the default.

    >>> answering_label_set(("people", "fer", "votes"), Truth.LABELS)
    'fer'
    >>> answering_label_set(("fer",), Truth.MAJORITY)
    'fer'
    """
    return next((name for name in label_sets if truth_of(name) is truth), label_sets[0])
