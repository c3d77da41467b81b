"""Every figure of a model on a data set, from its scores: what cards hold, pages show and commands print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.errors import DataError
from fer_core.evaluation.calibration import TARGET_ACCURACY, coverage, fit_temperature, reliability
from fer_core.evaluation.metrics import measure, measure_people
from fer_core.evaluation.results import (
    CalibrationResult,
    DataDescription,
    EvaluationResult,
    SplitCalibration,
    SplitResult,
    ViewMetrics,
)
from fer_core.evaluation.scoring import ONE_VIEW, Scores
from fer_core.evaluation.serialization import card_calibration
from fer_core.evaluation.truth import Truth, true_labels, truth_of
from fer_core.models.bundle import MODEL_FILE, Bundle
from fer_core.models.card import ModelCard
from fer_core.models.temperature import Temperature
from fer_core.trained_on import trained_on

# The split on which temperature and threshold are fitted: the first of these that the model was not trained on.
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


def assess(bundle: Bundle, faces: FaceSet, scores: Mapping[str, Scores]) -> EvaluationResult:
    """Return all figures that follow from a model's scores, for each of its label sets.

    Args:
        bundle: the model.
        faces: the data set.
        scores: by split, as `score_split` returns them.
    """
    card = bundle.card
    by_label_set = {
        name: {split: split_scores.by_label_set(card)[name] for split, split_scores in scores.items()}
        for name in card.label_sets
    }
    calibrations = {name: calibrate(card, faces, some, name) for name, some in by_label_set.items()}
    results = {name: _split_results(faces, some, calibrations[name].temperature) for name, some in by_label_set.items()}
    default, *others = card.label_sets
    return EvaluationResult(
        model=card.name,
        sha256=card.files.get(MODEL_FILE),
        label_sets=card.label_sets,
        data=describe_data(faces),
        splits={
            split: replace(result, label_sets={name: results[name][split] for name in others})
            for split, result in results[default].items()
        },
        trained_on=_trained_on(card, faces, scores),
        calibrations=calibrations,
    )


def assess_split(faces: FaceSet, split: str, scores: Scores, temperature: Temperature = Temperature()) -> SplitResult:
    """Measure the scores of one label set on one split.

    Args:
        faces: the data set.
        split: name of the split.
        scores: of its faces.
        temperature: after which a wrong answer's score says how confident it was.
    """
    rows = faces.rows_of(split)
    fresh = ~leaked(faces)[rows]
    return SplitResult(
        protocol=ONE_VIEW,
        labels=_view_metrics(scores, faces.labels[rows]),
        without_copies=_view_metrics(scores, np.where(fresh, faces.labels[rows], -1)) if fresh.any() else None,
        **_by_votes(faces, rows, scores, temperature),
    )


def calibrate(card: ModelCard, faces: FaceSet, scores: Mapping[str, Scores], label_set: str) -> CalibrationResult:
    """Fit a temperature, and the score below which a face is called uncertain.

    Args:
        card: the model's.
        faces: the data set.
        scores: those of the label set, by split.
        label_set: that says what they are held against.

    Returns:
        What was fitted and its figures on each split. Without a split to fit on that the model was not trained on
        and that was scored, temperature and threshold are the card's own; a card without any changes nothing.
    """
    seen = _trained_on(card, faces, scores)
    split = next((split for split in CALIBRATION_SPLITS if split in scores and split not in seen), None)
    fitted = (
        card_calibration(card, label_set)
        if split is None
        else _fit(split, scores[split].probs, *calibration_labels(faces, split, label_set))
    )
    by_split = {name: _calibration_on(faces, name, some.probs, fitted, label_set) for name, some in scores.items()}
    return replace(fitted, by_split=by_split)


def calibration_labels(faces: FaceSet, split: str, label_set: str) -> tuple[np.ndarray, Truth]:
    """Return what the scores of a label set are calibrated against on a split, and what it is.

    Returns:
        The true labels, int64 (n,), -1 where there is none; and `Truth`: the majority of votes for a label set of
        votes where the data set has any, else the data set's own labels.
    """
    truth = truth_of(label_set)
    if truth is Truth.MAJORITY and faces.votes is None:
        truth = Truth.LABELS
    return true_labels(faces, faces.rows_of(split), truth), truth


def leaked(faces: FaceSet) -> np.ndarray:
    """Return the images, bool (n,), outside Training of which an exact copy is in Training."""
    groups = exact_duplicates(faces.images)
    training = faces.split == SPLITS.index("Training")
    in_training = np.unique(groups.id[training & groups.grouped])
    return ~training & groups.grouped & np.isin(groups.id, in_training)


def describe_data(faces: FaceSet) -> DataDescription:
    """Return what cards and reports say of the data set that was measured on."""
    images = {split: len(faces.rows_of(split)) for split in faces.splits}
    return DataDescription(faces.source.name, faces.source.synthetic, faces.hash, images)


def _split_results(faces: FaceSet, scores: Mapping[str, Scores], temperature: Temperature) -> dict[str, SplitResult]:
    results = {split: assess_split(faces, split, some, temperature) for split, some in scores.items()}
    if set(_BOTH) <= set(scores):
        both = Scores(*(np.concatenate([view(scores[split]) for split in _BOTH]) for view in _VIEWS), 0.0)
        rows = np.concatenate([faces.rows_of(split) for split in _BOTH])
        results[" + ".join(_BOTH)] = SplitResult(
            protocol=ONE_VIEW,
            labels=_view_metrics(both, faces.labels[rows]),
            **_by_votes(faces, rows, both, temperature),
        )
    return results


_VIEWS = (lambda scores: scores.probs, lambda scores: scores.mirrored)


def _by_votes(faces: FaceSet, rows: np.ndarray, scores: Scores, temperature: Temperature) -> dict:
    """Return the fields of a `SplitResult` that need votes; without votes there are none."""
    if faces.votes is None:
        return {}
    majority = true_labels(faces, rows, Truth.MAJORITY)
    return {
        "majority": _view_metrics(scores, majority) if (majority >= 0).any() else None,
        "people": measure_people(temperature.apply(scores.probs), faces.votes[rows], faces.labels[rows]),
    }


def _view_metrics(scores: Scores, labels: np.ndarray) -> ViewMetrics:
    """Measure both views on the faces that have a label, int (n,), of 0 or more."""
    chosen = labels >= 0
    return ViewMetrics(measure(scores.probs[chosen], labels[chosen]), measure(scores.with_flip[chosen], labels[chosen]))


def _fit(split: str, probs: np.ndarray, labels: np.ndarray, truth: Truth) -> CalibrationResult:
    chosen = labels >= 0
    temperature = fit_temperature(probs[chosen], labels[chosen])
    threshold = coverage(temperature.apply(probs[chosen]), labels[chosen]).threshold_for(TARGET_ACCURACY)
    return CalibrationResult(temperature, split, truth, threshold, TARGET_ACCURACY)


def _calibration_on(
    faces: FaceSet, split: str, probs: np.ndarray, calibration: CalibrationResult, label_set: str
) -> SplitCalibration:
    labels, _ = calibration_labels(faces, split, label_set)
    chosen = labels >= 0
    before, labels = probs[chosen], labels[chosen]
    after = calibration.temperature.apply(before)
    covered, accuracy = coverage(after, labels).at_threshold(calibration.uncertain_below or 0.0)
    return SplitCalibration(
        images=len(labels),
        ece_before=reliability(before, labels).error,
        ece_after=reliability(after, labels).error,
        coverage=covered,
        accuracy_covered=accuracy,
    )


def _trained_on(card: ModelCard, faces: FaceSet, splits: Iterable[str]) -> tuple[str, ...]:
    seen = trained_on(card, faces)
    return tuple(split for split in splits if seen[faces.rows_of(split)].any())
