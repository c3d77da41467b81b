"""The result of a comparison before and after cleaning, and the measurement that leads to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from fer_core.audit.automatic_corrections import kind_of
from fer_core.audit.corrections import Corrections
from fer_core.data.face_set import FaceSet
from fer_core.data.votes import clear_expression
from fer_core.errors import DataError, ModelError
from fer_core.evaluation.compare import compare
from fer_core.evaluation.paired_difference import PairedDifference, paired_difference
from fer_core.evaluation.scoring import Scores, score_split
from fer_core.evaluation.truth import Truth, answering_label_set, true_labels
from fer_core.experiments.plan import Arm, CleaningPlan, ExperimentFolder
from fer_core.experiments.runs import PlannedRun
from fer_core.files import write_text
from fer_core.models.bundle import load_bundle
from fer_core.models.card import ModelCard

LABELS_MEASURE, UNTOUCHED, MAJORITY, CLEAR = "labels", "untouched", "majority", "clear"
# Looked at only if it is asked for: a choice between data sets is a choice by what it is measured on.
_TESTS = ("PrivateTest", "Test")


@dataclass(frozen=True)
class Measure:
    """What changed on one choice of faces and their true expressions.

    Attributes:
        key: "labels", "untouched", "majority" or "clear".
        overall: accuracy.
        by_label: recall of each expression that occurs.
        before_by_seed: accuracy of each seed's network on the original data set.
        after_by_seed: the same with the corrections.
        p_values: McNemar's exact test, two-sided, of each seed's two networks.
    """

    key: str
    overall: PairedDifference
    by_label: Mapping[str, PairedDifference]
    before_by_seed: tuple[float, ...]
    after_by_seed: tuple[float, ...]
    p_values: tuple[float, ...]


@dataclass(frozen=True)
class CorrectionCount:
    """How many images were changed for one reason, among those trained on and elsewhere."""

    action: str
    reason: str
    training: int
    elsewhere: int


@dataclass(frozen=True)
class CleaningResult:
    """What cleaning a data set changed.

    Attributes:
        name: of the comparison.
        data: name of the data set.
        data_hash: of its content before the corrections.
        config: the recipe, as `RunConfig.to_dict` returns it.
        seeds: that were trained.
        training_faces: number of images trained on, by arm.
        corrections: what was corrected.
        runs: names of the runs in the order of the seeds, by arm.
        splits: what was measured, by split.
    """

    name: str
    data: str
    data_hash: str
    config: Mapping[str, Any]
    seeds: tuple[int, ...]
    training_faces: Mapping[str, int]
    corrections: tuple[CorrectionCount, ...]
    runs: Mapping[str, tuple[str, ...]]
    splits: Mapping[str, tuple[Measure, ...]]


_ADAPTER = TypeAdapter(CleaningResult)


def result_to_json(result: CleaningResult) -> dict[str, Any]:
    """Return the result as plain JSON values."""
    return _ADAPTER.dump_python(result, mode="json")


def save_result(result: CleaningResult, folder: ExperimentFolder) -> None:
    """Write the result into the folder of its comparison.

    Raises:
        DataError: it cannot be written.
    """
    try:
        write_text(folder.result_file, _ADAPTER.dump_json(result, indent=2).decode() + "\n")
    except OSError as error:
        raise DataError(f"{folder.result_file} cannot be written: {error.strerror or error}.") from error


def load_result(folder: ExperimentFolder) -> CleaningResult | None:
    """Read the result of a comparison; None as long as it is not finished.

    Raises:
        DataError: the file is damaged.
    """
    try:
        return _ADAPTER.validate_json(folder.result_file.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, OSError) as error:
        raise DataError(f"{folder.result_file} is damaged. Start the comparison again to measure it anew.") from error


def evaluation_splits(plan: CleaningPlan, asked: Sequence[str]) -> tuple[str, ...]:
    """Return the splits to compare on: those asked for or else those of validation, without PrivateTest.

    Raises:
        DataError: a split is trained on, or validation is on a test split alone.
    """
    if both := set(asked) & set(plan.config.train_splits):
        raise DataError(f"{' and '.join(sorted(both))} is trained on, so nothing can be measured there.")
    splits = tuple(asked) or tuple(split for split in plan.config.validation_splits if split not in _TESTS)
    if not splits:
        raise DataError(
            f"The recipe validates on {' and '.join(plan.config.validation_splits)}, which is not looked at unless "
            "asked for. Give another split for validation, or name it as the split to compare on."
        )
    return splits


def measure_cleaning(
    plan: CleaningPlan,
    folder: ExperimentFolder,
    faces: FaceSet,
    planned: Sequence[PlannedRun],
    splits: Sequence[str],
) -> CleaningResult:
    """Compare the finished runs of a plan on the same faces of the original data set.

    Raises:
        ModelError: a run has no model for the app.
        DataError: the data set has no such split.
    """
    by_arm = {arm: [item.run for item in planned if item.arm is arm] for arm in Arm}
    return CleaningResult(
        name=folder.name,
        data=plan.config.data,
        data_hash=faces.hash,
        config=plan.config.to_dict(),
        seeds=plan.seeds,
        training_faces={
            arm.value: len(plan.open_faces(arm, folder.corrections_file).rows_of(*plan.config.train_splits))
            for arm in Arm
        },
        corrections=count_corrections(plan.corrections, faces, plan.config.train_splits),
        runs={arm.value: tuple(run.name for run in runs) for arm, runs in by_arm.items()},
        splits={
            split: _measure_split(
                faces,
                split,
                plan.corrections,
                *([_scores(item, faces, split) for item in planned if item.arm is arm] for arm in Arm),
            )
            for split in splits
        },
    )


_CardAndScores = tuple[ModelCard, Scores]


def _scores(item: PlannedRun, faces: FaceSet, split: str) -> _CardAndScores:
    try:
        bundle = load_bundle(item.run.model_folder)
    except ModelError as error:
        raise ModelError(
            f"The run {item.run.name} has no usable model: {error} Its log is {item.run.log_file}."
        ) from error
    return bundle.card, score_split(bundle, faces, split)


def _measure_split(
    faces: FaceSet,
    split: str,
    corrections: Corrections,
    before: Sequence[_CardAndScores],
    after: Sequence[_CardAndScores],
) -> tuple[Measure, ...]:
    return tuple(
        _measure(
            key,
            truth,
            np.stack([_probs(card, scores, against) for card, scores in before]),
            np.stack([_probs(card, scores, against) for card, scores in after]),
            faces.class_names,
        )
        for key, (truth, against) in _truths(faces, split, corrections).items()
        if np.any(truth >= 0)
    )


def _truths(faces: FaceSet, split: str, corrections: Corrections) -> dict[str, tuple[np.ndarray, Truth]]:
    """Return what is measured: the true expression of each face of a split, -1 to leave it out, and its kind."""
    rows = faces.rows_of(split)
    labels = faces.labels[rows]
    marked = list(corrections.current)
    touched = np.isin(faces.image_hashes[rows], faces.image_hashes[marked])
    truths = {
        LABELS_MEASURE: (labels, Truth.LABELS),
        UNTOUCHED: (np.where(touched, -1, labels), Truth.LABELS),
    }
    if faces.votes is not None:
        truths[MAJORITY] = (true_labels(faces, rows, Truth.MAJORITY), Truth.MAJORITY)
        truths[CLEAR] = (clear_expression(faces.votes[rows]), Truth.MAJORITY)
    return truths


def _probs(card: ModelCard, scores: Scores, truth: Truth) -> np.ndarray:
    return scores.by_label_set(card)[answering_label_set(card.label_sets, truth)].probs


def _measure(
    key: str, truth: np.ndarray, before: np.ndarray, after: np.ndarray, class_names: tuple[str, ...]
) -> Measure:
    """Compare scores, float (seeds, n, 7), on the faces that have a true expression, int (n,) of 0 or more."""
    chosen = truth >= 0
    truth, before, after = truth[chosen], before[:, chosen], after[:, chosen]
    right_before, right_after = (probs.argmax(axis=2) == truth for probs in (before, after))
    return Measure(
        key=key,
        overall=paired_difference(right_before, right_after),
        by_label={
            class_names[k]: paired_difference(right_before[:, truth == k], right_after[:, truth == k])
            for k in np.unique(truth)
        },
        before_by_seed=tuple(right_before.mean(axis=1).tolist()),
        after_by_seed=tuple(right_after.mean(axis=1).tolist()),
        p_values=tuple(compare(second, first, truth).p_value for first, second in zip(before, after, strict=True)),
    )


def count_corrections(
    corrections: Corrections, faces: FaceSet, train_splits: tuple[str, ...]
) -> tuple[CorrectionCount, ...]:
    """Count corrections by action and reason, the most frequent in `train_splits` first."""
    trained_on = np.zeros(len(faces), bool)
    trained_on[faces.rows_of(*train_splits)] = True
    counts: dict[tuple[str, str], list[int]] = {}
    for row, correction in corrections.current.items():
        pair = counts.setdefault((correction.action, kind_of(correction.reason)), [0, 0])
        pair[0 if trained_on[row] else 1] += 1
    listed = [CorrectionCount(action, reason, *pair) for (action, reason), pair in counts.items()]
    return tuple(sorted(listed, key=lambda count: (-count.training, -count.elsewhere)))
