"""What a run measures after each epoch, against the labels and, where there are any, against the votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.data.votes import clear_expression, supported_negatives
from fer_core.errors import DataError
from fer_core.training.loop.targets import true_labels


@dataclass(frozen=True, eq=False)
class ValidationFaces:
    """The faces that a run validates on.

    Attributes:
        faces: n faces.
        targets: float32 (n, 7 × label sets), as `targets_of` returns them.
        label_sets: those of the network, the default first.
    """

    faces: FaceSet
    targets: np.ndarray
    label_sets: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (self.truth >= 0).any():
            raise DataError(
                "Nothing can be validated: none of the faces has a true expression in the label set "
                f"{self.label_sets[0]}. Validate on another split."
            )

    @property
    def images(self) -> np.ndarray:
        """uint8 (n, 48, 48)."""
        return self.faces.images

    @property
    def truth(self) -> np.ndarray:
        """int64 (n,), the true expressions in the default label set, -1 where there is none."""
        return true_labels(self.faces, self.label_sets[0])


def measure_epoch(validation: ValidationFaces, scores: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return what an epoch's history says about accuracy, all shares from 0 to 1.

    Args:
        validation: n faces.
        scores: float (n, 7) for each label set.

    Returns:
        `val_accuracy`, of the default label set against its own truth, and `val_balanced_accuracy`, the mean recall
        of the expressions. With several label sets, the same for each of
        them, as `val_accuracy_<label set>`. With votes, of the default label set: `val_label_accuracy` against the
        data set's labels, `val_majority_accuracy` against the unique majority, `val_clear_accuracy` on clear faces
        and `val_supported_negatives`, the recall of negative labels that at least `SUPPORTING_VOTES` people support.
        NaN where no face counts.
    """
    faces, default = validation.faces, validation.label_sets[0]
    predicted = scores[default].argmax(axis=1)
    measures = {
        "val_accuracy": _accuracy(predicted, validation.truth),
        "val_balanced_accuracy": _balanced_accuracy(predicted, validation.truth),
    }
    if len(validation.label_sets) > 1:
        for label_set in validation.label_sets:
            own = scores[label_set].argmax(axis=1)
            measures[f"val_accuracy_{label_set}"] = _accuracy(own, true_labels(faces, label_set))
    if faces.votes is not None:
        measures |= {
            "val_label_accuracy": _accuracy(predicted, faces.labels),
            "val_majority_accuracy": _accuracy(predicted, true_labels(faces, "votes")),
            "val_clear_accuracy": _accuracy(predicted, clear_expression(faces.votes)),
            "val_supported_negatives": _accuracy(predicted, supported_negatives(faces.votes, faces.labels)),
        }
    return measures


def _accuracy(predicted: np.ndarray, truth: np.ndarray) -> float:
    counts = truth >= 0
    return float((predicted == truth)[counts].mean()) if counts.any() else float("nan")


def _balanced_accuracy(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean recall of the classes that occur, 0 to 1."""
    return float(np.mean([(predicted == label)[truth == label].mean() for label in np.unique(truth[truth >= 0])]))
