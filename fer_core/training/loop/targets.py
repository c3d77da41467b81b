"""What a run trains on: faces without those left out by corrections, and a target for each face and label set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.data.votes import has_votes, label_votes, unique_majority
from fer_core.errors import DataError
from fer_core.training.config import RunConfig


def with_corrections(faces: FaceSet, splits: tuple[str, ...], keep: np.ndarray, labels: np.ndarray) -> FaceSet:
    """Return `faces` with some rows of `splits` left out or labelled otherwise; other splits stay whole.

    Args:
        faces: n faces.
        splits: names of the splits that change.
        keep: bool (n,), whether a row stays.
        labels: int (n,), the new labels.
    """
    changes = np.isin(np.arange(len(faces)), faces.rows_of(*splits))
    rows = np.flatnonzero(keep | ~changes)
    return rows_of(dataclasses.replace(faces, labels=np.where(changes, labels, faces.labels)), rows)


def rows_of(faces: FaceSet, rows: np.ndarray) -> FaceSet:
    """Return the faces of some rows, int (n,), with their images in memory."""
    return dataclasses.replace(
        faces,
        images=np.array(faces.images[rows]),
        labels=faces.labels[rows],
        split=faces.split[rows],
        votes=None if faces.votes is None else faces.votes[rows],
    )


def targets_of(faces: FaceSet, config: RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return what a network should answer for each face, in all its label sets.

    Args:
        faces: n faces, with votes unless the run trains on the data set's labels alone.
        config: of the run.

    Returns:
        float32 (n, classes × label sets), the targets of each label set side by side; each adds up to 1, or to 0 where
        the face has none: see `label_targets`, `vote_targets` and `people_targets`. And bool (n,): whether the face
        has any target.

    Raises:
        DataError: votes are needed, but the data set has none.
    """
    targets = [_TARGETS[label_set](faces, config) for label_set in config.label_sets]
    joined = np.concatenate(targets, axis=1)
    return joined, joined.any(axis=1)


def label_targets(faces: FaceSet) -> np.ndarray:
    """Return float32 (n, classes): 1 for the data set's label."""
    return np.eye(len(faces.class_names), dtype=np.float32)[faces.labels]


def vote_targets(faces: FaceSet) -> np.ndarray:
    """Return float32 (n, 7): each expression's share of the votes; 0 where most of the votes are for none of them."""
    counts = _votes_of(faces)
    votes = label_votes(counts).astype(np.float32)
    expressions, total = votes.sum(axis=1), counts.sum(axis=1, dtype=np.float32)
    usable = (expressions > 0) & (expressions * 2 >= total)
    return np.where(usable[:, None], votes / np.maximum(expressions, 1)[:, None], 0).astype(np.float32)


def people_targets(faces: FaceSet, label_weight: float) -> np.ndarray:
    """Return float32 (n, 7): the votes with the data set's label as `label_weight` further ones, as shares.

    A face that nobody voted on has 0 everywhere.
    """
    counts = _votes_of(faces)
    votes = label_votes(counts) + np.float32(label_weight) * label_targets(faces)
    total = votes.sum(axis=1, keepdims=True)
    usable = has_votes(counts)[:, None] & (total > 0)
    return np.where(usable, votes / np.where(total > 0, total, 1), 0).astype(np.float32)


_TARGETS: Mapping[str, Callable[[FaceSet, RunConfig], np.ndarray]] = {
    "fer": lambda faces, config: label_targets(faces),
    "votes": lambda faces, config: vote_targets(faces),
    "people": lambda faces, config: people_targets(faces, config.label_votes),
}


def true_labels(faces: FaceSet, label_set: str) -> np.ndarray:
    """Return what counts as right in a label set: int64 (n,), index into the class names, -1 where nothing does.

    For "fer" that is the data set's label, for "votes" and "people" the unique majority of the votes.
    """
    return faces.labels.astype(np.int64) if label_set == "fer" else unique_majority(_votes_of(faces))


def _votes_of(faces: FaceSet) -> np.ndarray:
    if faces.votes is None:
        raise DataError(
            "The data set has no FER+ votes. Read it in together with fer2013new.csv, or train on its own "
            "labels (label set fer)."
        )
    return faces.votes


def class_weights(targets: np.ndarray) -> np.ndarray:
    """Return float32 (k,): weights under which all k classes count the same, 1 on average over targets (n, k)."""
    share = targets.mean(axis=0)
    weights = np.divide(1.0, share, out=np.zeros_like(share), where=share > 0)
    return (weights / (weights * share).sum()).astype(np.float32)
