"""The figures that describe a data set as a whole: counts, balance, what people saw, mean faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.votes import has_votes, unique_majority
from fer_core.emotions import LABELS


@dataclass(frozen=True, eq=False)
class Summary:
    """A data set in figures.

    Attributes:
        splits: names of the s splits that have images.
        counts: int64 (s, k), images by split and label.
        seen: int64 (7, 8), images voted on, by label and by what most people saw, the last column for none
            of the seven and for ties; None if nobody voted on any.
        mean_faces: float32 (s, k, 48, 48), 0 to 255; NaN where a split has no image of a label.
        class_names: of the k classes.
    """

    splits: tuple[str, ...]
    counts: np.ndarray
    seen: np.ndarray | None
    mean_faces: np.ndarray
    class_names: tuple[str, ...] = LABELS

    @property
    def imbalance(self) -> tuple[float, str, str] | None:
        """How many images the most frequent label has for each one of the rarest that occurs, and these two labels.

        None if fewer than two labels occur.
        """
        totals = self.counts.sum(axis=0)
        occurring = np.flatnonzero(totals)
        if len(occurring) < 2:
            return None
        most, least = occurring[totals[occurring].argmax()], occurring[totals[occurring].argmin()]
        return float(totals[most] / totals[least]), self.class_names[most], self.class_names[least]

    @property
    def agreement(self) -> float | None:
        """Share of the images voted on whose label got more votes than any other answer, 0 to 1; None without votes."""
        return None if self.seen is None else float(np.trace(self.seen) / self.seen.sum())


def summarize(faces: FaceSet, means: np.ndarray | None = None) -> Summary:
    """Describe a data set.

    Args:
        faces: the data set.
        means: what `mean_faces` returns, if it is known already.
    """
    counts = np.array([list(by_label.values()) for by_label in faces.counts().values()])
    seen = None
    if faces.votes is not None and (voted := has_votes(faces.votes)).any():
        seen = np.zeros((len(LABELS), len(LABELS) + 1), np.int64)
        np.add.at(seen, (faces.labels[voted], unique_majority(faces.votes[voted])), 1)  # -1 is the last column
    return Summary(faces.splits, counts, seen, mean_faces(faces) if means is None else means, faces.class_names)


def mean_faces(faces: FaceSet) -> np.ndarray:
    """Return the mean image of each split and label, float32 (s, k, 48, 48), in the order of `faces.splits`."""
    classes = len(faces.class_names)
    means = np.full((len(faces.splits), classes, *faces.images.shape[1:]), np.nan, np.float32)
    for i, split in enumerate(faces.splits):
        for k in range(classes):
            rows = np.flatnonzero((faces.split == SPLITS.index(split)) & (faces.labels == k))
            if len(rows):
                means[i, k] = faces.images[rows].mean(axis=0, dtype=np.float32)
    return means
