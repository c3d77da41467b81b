"""What a run trains on: the faces that are left, and one target a face from the label set it chose."""

from __future__ import annotations

import dataclasses

import numpy as np

from fer_core.data.face_set import VOTE_COLUMNS, FaceSet
from fer_core.emotions import LABELS, canonical
from fer_core.errors import DataError

# Columns of the votes in LABELS' order; contempt, unknown and not-a-face have no expression here.
_COLUMNS = [[canonical(column) for column in VOTE_COLUMNS].index(label) for label in LABELS]


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
    return dataclasses.replace(
        faces,
        images=np.array(faces.images[rows]),
        labels=np.where(changes, labels, faces.labels)[rows],
        split=faces.split[rows],
        votes=None if faces.votes is None else faces.votes[rows],
    )


def targets_of(faces: FaceSet, label_set: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what a network should answer for each face.

    Args:
        faces: n faces, with votes if `label_set` is "ferplus".
        label_set: "fer": 1 for the label; "ferplus": each expression's share of the votes.

    Returns:
        float32 (n, 7), rows sum to 1 where the face is usable; bool (n,), whether it is. Votes make a
        face usable if at least half of all are for one of the seven expressions.

    Raises:
        DataError: "ferplus", but the data set has no votes.
    """
    if label_set == "fer":
        return np.eye(len(LABELS), dtype=np.float32)[faces.labels], np.ones(len(faces), bool)
    if faces.votes is None:
        raise DataError(
            "The data set has no FER+ votes. Read it in together with fer2013new.csv, or train on its own "
            "labels (label set fer)."
        )
    votes = faces.votes[:, _COLUMNS].astype(np.float32)
    expressions, total = votes.sum(axis=1), faces.votes.sum(axis=1, dtype=np.float32)
    return votes / np.maximum(expressions, 1)[:, None], (expressions > 0) & (expressions * 2 >= total)


def class_weights(targets: np.ndarray) -> np.ndarray:
    """Return float32 (7,): weights that make all expressions count the same and average 1 over the faces."""
    share = targets.mean(axis=0)
    weights = np.divide(1.0, share, out=np.zeros_like(share), where=share > 0)
    return (weights / (weights * share).sum()).astype(np.float32)
