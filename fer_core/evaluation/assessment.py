"""Every figure of a model on a data set, from its scores: what cards hold, pages show and commands print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.errors import DataError
from fer_core.evaluation.calibration import TARGET_ACCURACY, coverage, fit_temperature, reliability
from fer_core.evaluation.metrics import Metrics, measure, measure_people
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
from fer_core.evaluation.subset import EvaluatedSubset
from fer_core.evaluation.truth import Truth, true_labels, truth_of, truths
from fer_core.models.bundle import MODEL_FILE, Bundle
from fer_core.models.card import ModelCard
from fer_core.models.temperature import Temperature
from fer_core.trained_on import trained_on_splits

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


def assess(
    bundle: Bundle, faces: FaceSet, scores: Mapping[str, Scores], subset: EvaluatedSubset | None = None
) -> EvaluationResult:
    """Return all figures that follow from a model's scores, for each of its label sets.

    Args:
        bundle: the model.
        faces: the data set.
        scores: by split, as `score_split` returns them.
        subset: of whose faces the figures are; all if None. Temperature and threshold are fitted on the whole split
            in any case.

    Raises:
        DataError: no scored split has a face of the subset.
    """
    card = bundle.card
    calibrations = {name: calibrate(card, faces, some, name) for name, some in _by_label_set(card, scores).items()}
    measured, measured_scores = (faces, scores) if subset is None else subset.restrict(faces, scores)
    by_label_set = _by_label_set(card, measured_scores)
    if subset is not None:
        calibrations = {
            name: _calibrated_on(measured, by_label_set[name], calibrations[name], name) for name in by_label_set
        }
    results = {
        name: _split_results(measured, some, calibrations[name].temperature) for name, some in by_label_set.items()
    }
    default, *others = card.label_sets
    return EvaluationResult(
        model=card.name,
        sha256=card.files.get(MODEL_FILE),
        label_sets=card.label_sets,
        data=replace(describe_data(measured), subset="" if subset is None else subset.name),
        splits={
            split: replace(result, label_sets={name: results[name][split] for name in others})
            for split, result in results[default].items()
        },
        trained_on=tuple(trained_on_splits(card, faces, measured_scores)),
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
    labels, fresh = faces.labels[rows], ~leaked(faces)[rows]
    return replace(
        measure_rows(faces, rows, scores.probs, ONE_VIEW, scores.with_flip, temperature),
        without_copies=_view_metrics(scores.probs, scores.with_flip, np.where(fresh, labels, -1)),
    )


def measure_rows(
    faces: FaceSet,
    rows: np.ndarray,
    probs: np.ndarray,
    protocol: str,
    with_flip: np.ndarray | None = None,
    temperature: Temperature = Temperature(),
) -> SplitResult:
    """Measure scores against the labels and, where there are votes, against what people saw.

    Args:
        faces: the data set.
        rows: int (n,), those that were scored.
        probs: float (n, 7), their scores from one view.
        protocol: how they were scored, in words.
        with_flip: float (n, 7), the mean of both views; None if it was not scored.
        temperature: after which a wrong answer's score says how confident it was.
    """
    labels = faces.labels[rows]
    result = SplitResult(protocol, ViewMetrics(measure(probs, labels), _flip_metrics(with_flip, labels)))
    if faces.votes is None:
        return result
    majority = true_labels(faces, rows, Truth.MAJORITY)
    return replace(
        result,
        majority=_view_metrics(probs, with_flip, majority),
        people=measure_people(temperature.apply(probs), faces.votes[rows], labels),
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
    seen = trained_on_splits(card, faces, scores)
    split = next((split for split in CALIBRATION_SPLITS if split in scores and split not in seen), None)
    fitted = (
        card_calibration(card, label_set)
        if split is None
        else _fit(split, scores[split].probs, *calibration_labels(faces, split, label_set))
    )
    return _calibrated_on(faces, scores, fitted, label_set)


def calibration_labels(faces: FaceSet, split: str, label_set: str) -> tuple[np.ndarray, Truth]:
    """Return what the scores of a label set are calibrated against on a split, and what it is.

    Returns:
        The true labels, int64 (n,), -1 where there is none; and `Truth`: the majority of votes for a label set of
        votes where the split has any, else the data set's own labels.
    """
    rows, truth = faces.rows_of(split), truth_of(label_set)
    if truth not in truths(faces, rows):
        truth = Truth.LABELS
    return true_labels(faces, rows, truth), truth


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
        both = Scores(
            probs=np.concatenate([scores[split].probs for split in _BOTH]),
            mirrored=np.concatenate([scores[split].mirrored for split in _BOTH]),
            ms_per_face=scores[_BOTH[0]].ms_per_face,
        )
        rows = np.concatenate([faces.rows_of(split) for split in _BOTH])
        results[" + ".join(_BOTH)] = measure_rows(faces, rows, both.probs, ONE_VIEW, both.with_flip, temperature)
    return results


def _view_metrics(probs: np.ndarray, with_flip: np.ndarray | None, labels: np.ndarray) -> ViewMetrics | None:
    """Measure both views on the faces that have a label, int (n,), of 0 or more; None if there are none."""
    chosen = labels >= 0
    if not chosen.any():
        return None
    flipped = None if with_flip is None else with_flip[chosen]
    return ViewMetrics(measure(probs[chosen], labels[chosen]), _flip_metrics(flipped, labels[chosen]))


def _flip_metrics(with_flip: np.ndarray | None, labels: np.ndarray) -> Metrics | None:
    return None if with_flip is None else measure(with_flip, labels)


def _fit(split: str, probs: np.ndarray, labels: np.ndarray, truth: Truth) -> CalibrationResult:
    chosen = labels >= 0
    temperature = fit_temperature(probs[chosen], labels[chosen])
    threshold = coverage(temperature.apply(probs[chosen]), labels[chosen]).threshold_for(TARGET_ACCURACY)
    return CalibrationResult(temperature, split, truth, threshold, TARGET_ACCURACY)


def _by_label_set(card: ModelCard, scores: Mapping[str, Scores]) -> dict[str, dict[str, Scores]]:
    """Return the scores of each label set, by split."""
    return {
        name: {split: split_scores.by_label_set(card)[name] for split, split_scores in scores.items()}
        for name in card.label_sets
    }


def _calibrated_on(
    faces: FaceSet, scores: Mapping[str, Scores], calibration: CalibrationResult, label_set: str
) -> CalibrationResult:
    """Return a calibration with its figures on each split."""
    by_split = {name: _calibration_on(faces, name, some.probs, calibration, label_set) for name, some in scores.items()}
    return replace(calibration, by_split=by_split)


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
