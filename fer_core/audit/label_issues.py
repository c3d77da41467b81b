"""Labels that a model contradicts: where a network that was not trained on a face is sure of another expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.errors import DataError


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """Faces whose label a model contradicts, the worst first.

    Attributes:
        rows: int64 (m,), of the data set.
        predicted: int64 (m,), the expression the model gives instead.
        margin: float32 (m,), score of that expression less the label's, above 0 and at most 1.
    """

    rows: np.ndarray
    predicted: np.ndarray
    margin: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def find_label_issues(labels: np.ndarray, rows: np.ndarray, probs: np.ndarray, seen: np.ndarray) -> LabelIssues:
    """Find labels that a model contradicts, by confident learning.

    A face counts when the model is at least as sure of another expression as it is on average on
    the faces that have that label, and prefers it (Northcutt, Jiang and Chuang, 2021; the work is
    `cleanlab`'s). A network agrees with the labels it was trained on, right or wrong, so only faces
    that it never saw can be judged.

    Args:
        labels: int (n,), of the whole data set.
        rows: int (m,), the faces that were scored, each once.
        probs: float (m, k), the model's scores of these faces, rows sum to 1.
        seen: bool (n,), the faces the model was trained on, or selected by; copies of them should
            count as seen too (`Groups.shared`).

    Raises:
        DataError: a scored face was seen in training, or the scored faces have one label only.
    """
    # Imported here since it takes seconds, and brings pandas and scikit-learn along.
    from cleanlab.filter import find_label_issues

    if len(known := rows[seen[rows]]):
        raise DataError(
            f"{len(known):,} of {len(rows):,} scored faces (the first is row {known[0]}) were seen in "
            "training. A model agrees with the labels it learned: choose a split it was not trained on."
        )
    if len(np.unique(labels[rows])) < 2:
        raise DataError(
            f"The {len(rows):,} scored faces do not have two different labels between them. Choose a "
            "split with several expressions."
        )
    order = np.arange(len(rows))
    own = probs[order, labels[rows]]
    predicted = probs.argmax(axis=1)
    margin = probs[order, predicted] - own
    flagged = find_label_issues(labels[rows], probs, filter_by="confident_learning", n_jobs=1) & (margin > 0)
    worst = np.flatnonzero(flagged)
    worst = worst[np.lexsort((rows[worst], -margin[worst]))]
    return LabelIssues(rows[worst], predicted[worst], margin[worst].astype(np.float32))
