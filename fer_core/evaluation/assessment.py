"""Every figure of a model on a data set, from its scores: what cards hold, pages show and commands print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.audit.model_outputs import trained_on_splits
from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.votes import unique_majority
from fer_core.errors import DataError
from fer_core.evaluation.calibration import (
    TARGET_ACCURACY,
    coverage,
    fit_temperature,
    reliability,
)
from fer_core.evaluation.metrics import interval_95, measure
from fer_core.evaluation.scoring import ONE_VIEW, WITH_FLIP, Scores
from fer_core.models.bundle import MODEL_FILE, Bundle
from fer_core.models.card import ModelCard, temperature_of

# The split on which temperature and threshold are chosen: the first of these that the model did not learn from.
# Never PrivateTest, which is looked at once, at the end.
CALIBRATION_SPLITS = ("PublicTest", "Validation")
# What a model is not trained on.
TEST_SPLITS = ("PublicTest", "PrivateTest", "Test", "Validation")
# What the original script called its test set.
_BOTH = ("PublicTest", "PrivateTest")


def measured_splits(faces: FaceSet) -> tuple[str, ...]:
    """Return the splits of a data set that models are measured on.

    Raises:
        DataError: it has none.
    """
    splits = tuple(split for split in faces.splits if split in TEST_SPLITS)
    if not splits:
        raise DataError(
            f"The data set has nothing to test on: expected one of the splits {', '.join(TEST_SPLITS)}; "
            f"it has {', '.join(faces.splits)}."
        )
    return splits


def assess(bundle: Bundle, faces: FaceSet, scores: Mapping[str, Scores]) -> dict[str, Any]:
    """Return all figures that follow from a model's scores.

    Args:
        bundle: the model.
        faces: the data set.
        scores: by split, as `score_split` returns them.

    Returns:
        `model`, its `sha256` and `label_set`; `data`, as cards describe one; `splits`, what `assess_split`
        returns by split, and PublicTest and PrivateTest as one if both were scored; `learned`, the scored
        splits of which the model saw faces in training, or may have; `calibration`, what `calibrate`
        returns, with each split's figures under `by_split`. All of it plain JSON values.
    """
    card = bundle.card
    calibration = calibrate(card, faces, scores)
    splits = {split: assess_split(faces, split, each) for split, each in scores.items()}
    if set(_BOTH) <= set(scores):
        splits[" + ".join(_BOTH)] = _together(faces, scores)
    return {
        "model": card.name,
        "sha256": card.files.get(MODEL_FILE),
        "label_set": card.label_set,
        "data": {
            "name": faces.source.name,
            "synthetic": faces.source.synthetic,
            "sha256": faces.hash,
            "images": {split: len(faces.rows_of(split)) for split in faces.splits},
        },
        "splits": splits,
        "learned": trained_on_splits(card, faces, scores),
        "calibration": calibration
        | {
            "by_split": {
                split: calibration_on(card, faces, split, each.probs, calibration) for split, each in scores.items()
            }
        },
    }


def assess_split(faces: FaceSet, split: str, scores: Scores) -> dict[str, Any]:
    """Measure scores on one split.

    Returns:
        What `measure` returns for one view, with its `protocol`; `with_flip`, the same for the mean of
        both views; `without_copies`, for the images of which no exact copy is in Training; and, where
        the data set has votes, `ferplus`, against what more of ten people saw than anything else, for
        the images on which that is one of the seven. Of the last two only counts,
        accuracy, macro-F1, figures by label and confusion, and only if any image is left.
    """
    rows = faces.rows_of(split)
    labels = faces.labels[rows]
    figures = {
        "protocol": ONE_VIEW,
        **measure(scores.probs, labels),
        "with_flip": {"protocol": WITH_FLIP, **measure(scores.with_flip, labels)},
    }
    fresh = ~copied(faces)[rows]
    if fresh.any():
        figures["without_copies"] = _part(scores, labels, fresh)
    if faces.votes is not None:
        voted = unique_majority(faces.votes[rows])
        if (voted >= 0).any():
            figures["ferplus"] = _part(scores, voted, voted >= 0)
    return figures


def _together(faces: FaceSet, scores: Mapping[str, Scores]) -> dict[str, Any]:
    labels = np.concatenate([faces.labels[faces.rows_of(split)] for split in _BOTH])
    both = [np.concatenate([getattr(scores[split], view) for split in _BOTH]) for view in ("probs", "with_flip")]
    return {
        "protocol": ONE_VIEW,
        **measure(both[0], labels),
        "with_flip": {"protocol": WITH_FLIP, **measure(both[1], labels)},
    }


def calibrate(card: ModelCard, faces: FaceSet, scores: Mapping[str, Scores]) -> dict[str, Any]:
    """Fit a temperature, and the score below which a face is called uncertain.

    Returns:
        `temperature` and `entropy_power`, as cards name a `Temperature`; `fitted_on`, the split;
        `uncertain_below`, the lowest best score (after the temperature) down to which what is answered
        there is right at least `target` of the time, or None if it never is. Where no split to fit on
        was scored that the model did not learn from, the card's own, or a temperature of 1.
    """
    learned = trained_on_splits(card, faces, scores)
    split = next((split for split in CALIBRATION_SPLITS if split in scores and split not in learned), None)
    if split is None:
        known = {
            "temperature": 1.0,
            "entropy_power": 0.0,
            "fitted_on": None,
            "uncertain_below": None,
            "target": TARGET_ACCURACY,
        }
        return known | {key: card.calibration[key] for key in known if key in card.calibration}
    chosen, labels = own_labels(card, faces, split)
    probs = scores[split].probs[chosen]
    temperature = fit_temperature(probs, labels)
    threshold = coverage(temperature.apply(probs), labels).threshold_for(TARGET_ACCURACY)
    return {
        "temperature": temperature.scale,
        "entropy_power": temperature.entropy_power,
        "fitted_on": split,
        "uncertain_below": threshold,
        "target": TARGET_ACCURACY,
    }


def calibration_on(
    card: ModelCard, faces: FaceSet, split: str, probs: np.ndarray, calibration: Mapping[str, Any]
) -> dict[str, float | int | None]:
    """Return how well a model is calibrated on a split.

    Returns:
        The expected calibration error `ece_before` and `ece_after` the temperature, 0 to 1; `answered`,
        the share of faces that are not called uncertain, and how often they are right,
        `accuracy_answered`; `images`.
    """
    chosen, labels = own_labels(card, faces, split)
    before = probs[chosen]
    after = temperature_of(calibration).apply(before)
    answered, accuracy = coverage(after, labels).at_threshold(calibration["uncertain_below"] or 0.0)
    return {
        "images": len(labels),
        "ece_before": reliability(before, labels).error,
        "ece_after": reliability(after, labels).error,
        "answered": answered,
        "accuracy_answered": accuracy,
    }


def copied(faces: FaceSet) -> np.ndarray:
    """Return the images, bool (n,), outside Training of which an exact copy is in Training."""
    groups = exact_duplicates(faces.images)
    training = faces.split == SPLITS.index("Training")
    leaked = np.unique(groups.id[training & groups.grouped])
    return ~training & groups.grouped & np.isin(groups.id, leaked)


def own_labels(card: ModelCard, faces: FaceSet, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return which images of a split have a label of the set that the model learned, and these labels."""
    rows = faces.rows_of(split)
    if card.label_set == "ferplus" and faces.votes is not None:
        voted = unique_majority(faces.votes[rows])
        return voted >= 0, voted[voted >= 0]
    return np.ones(len(rows), bool), faces.labels[rows]


def _part(scores: Scores, labels: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    figures = measure(scores.probs[chosen], labels[chosen])
    correct = int(np.sum(scores.with_flip[chosen].argmax(axis=1) == labels[chosen]))
    return {
        **{key: figures[key] for key in ("images", "accuracy", "accuracy_95", "macro_f1", "by_label", "confusion")},
        "with_flip": {"accuracy": correct / figures["images"], "accuracy_95": interval_95(correct, figures["images"])},
    }
