"""Evaluation results as the JSON of cards, reports and `--json`, and back.

Old cards stay readable: their keys are translated when a card is loaded (`fer_core.legacy`), and what they lack is
None here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from fer_core.emotions import LABELS, has_emotions
from fer_core.evaluation.calibration import TARGET_ACCURACY
from fer_core.evaluation.metrics import ClearFaces, Metrics, PeopleMetrics, Proportion
from fer_core.evaluation.results import (
    CalibrationResult,
    EvaluationResult,
    RobustnessResult,
    SplitCalibration,
    SplitResult,
    ViewMetrics,
)
from fer_core.evaluation.scoring import WITH_FLIP
from fer_core.evaluation.truth import Truth
from fer_core.models.card import ModelCard
from fer_core.models.temperature import Temperature

Json = dict[str, Any]
T = TypeVar("T")


def evaluation_to_json(result: EvaluationResult) -> Json:
    """Return everything that was measured, as `--json` prints it."""
    content = {
        "model": result.model,
        "sha256": result.sha256,
        "label_sets": list(result.label_sets),
        "data": asdict(result.data),
        "splits": splits_to_json(result.splits),
        "trained_on": list(result.trained_on),
        "calibration": calibrations_to_json(result),
    }
    if result.robustness:
        content["robustness"] = {split: robustness_to_json(each) for split, each in result.robustness.items()}
    if result.end_to_end:
        content["end_to_end"] = {split: asdict(each) for split, each in result.end_to_end.items()}
    return content


def splits_to_json(splits: Mapping[str, SplitResult]) -> Json:
    """Return the results of splits as cards have them under `metrics`."""
    return {split: split_to_json(result) for split, result in splits.items()}


def split_to_json(result: SplitResult) -> Json:
    """Return the result of one split; figures against the data set's labels stand at its top."""
    parts = {
        "without_copies": result.without_copies and view_metrics_to_json(result.without_copies),
        "majority": result.majority and view_metrics_to_json(result.majority),
        "people": result.people and people_to_json(result.people),
        "label_sets": splits_to_json(result.label_sets),
    }
    return {
        "protocol": result.protocol,
        **view_metrics_to_json(result.labels),
        **{name: part for name, part in parts.items() if part},
    }


def split_from_json(content: Mapping[str, Any]) -> SplitResult:
    """Return the result of one split.

    Raises:
        KeyError: a figure is missing that even old cards have.
    """
    return SplitResult(
        protocol=content.get("protocol", "not stated"),
        labels=_view_metrics_from_json(content),
        without_copies=_optional(_view_metrics_from_json, content, "without_copies"),
        majority=_optional(_view_metrics_from_json, content, "majority"),
        people=_optional(_people_from_json, content, "people"),
        label_sets={name: split_from_json(part) for name, part in content.get("label_sets", {}).items()},
    )


def card_results(card: ModelCard) -> dict[str, SplitResult]:
    """Return the measured figures of a card by split."""
    return {split: split_from_json(content) for split, content in card.measured.items()}


def view_metrics_to_json(metrics: ViewMetrics) -> Json:
    """Return the figures of one view, with those of both views under `with_flip`."""
    content = metrics_to_json(metrics.one_view)
    if metrics.with_flip is not None:
        content["with_flip"] = {"protocol": WITH_FLIP, **metrics_to_json(metrics.with_flip)}
    return content


def metrics_to_json(metrics: Metrics) -> Json:
    """Return figures as plain values; those by expression too, though they follow from the confusion matrix."""
    return {
        "images": metrics.images,
        "accuracy": metrics.accuracy,
        "accuracy_95": list(metrics.accuracy_95),
        "top2": metrics.top2,
        "macro_f1": metrics.macro_f1,
        "balanced_accuracy": metrics.balanced_accuracy,
        "log_loss": metrics.log_loss,
        "by_label": {label: asdict(figures) for label, figures in metrics.by_label.items()},
        "confusion": [list(row) for row in metrics.confusion],
    }


def people_to_json(people: PeopleMetrics) -> Json:
    """Return the figures of faces on which people agree; null where there is no such face."""
    return _with_lists(asdict(people))


def calibration_to_json(calibration: CalibrationResult) -> Json:
    """Return a calibration as cards have it."""
    return {
        "temperature": calibration.temperature.scale,
        "entropy_power": calibration.temperature.entropy_power,
        "fitted_on": calibration.fitted_on,
        "against": calibration.against and str(calibration.against),
        "uncertain_below": calibration.uncertain_below,
        "target": calibration.target,
        "by_split": {split: asdict(figures) for split, figures in calibration.by_split.items()},
    }


def calibrations_to_json(result: EvaluationResult) -> Json:
    """Return the calibration of a model with one label set, or a mapping by label set."""
    by_label_set = {name: calibration_to_json(each) for name, each in result.calibrations.items()}
    return by_label_set if len(by_label_set) > 1 else by_label_set[result.label_sets[0]]


def calibration_from_json(content: Mapping[str, Any]) -> CalibrationResult:
    """Return a card's calibration; one that is empty changes nothing."""
    against = content.get("against")
    return CalibrationResult(
        temperature=Temperature(float(content.get("temperature", 1.0)), float(content.get("entropy_power", 0.0))),
        fitted_on=content.get("fitted_on"),
        against=None if against is None else Truth(against),
        uncertain_below=content.get("uncertain_below"),
        target=content.get("target") or TARGET_ACCURACY,
        by_split={
            split: SplitCalibration(**{name: figures[name] for name in SplitCalibration.__dataclass_fields__})
            for split, figures in content.get("by_split", {}).items()
        },
    )


def card_calibration(card: ModelCard, label_set: str | None = None) -> CalibrationResult:
    """Return what a card says of the calibration of a label set; None stands for the default."""
    return calibration_from_json(card.calibration_of(label_set).to_json())


def robustness_to_json(robustness: RobustnessResult) -> Json:
    """Return the levels of each corruption."""
    return {name: [level._asdict() for level in levels] for name, levels in robustness.items()}


def _view_metrics_from_json(content: Mapping[str, Any]) -> ViewMetrics:
    flip = content.get("with_flip", {})
    # Some old blocks have only the accuracy of both views.
    return ViewMetrics(_metrics_from_json(content), _metrics_from_json(flip) if "confusion" in flip else None)


def _metrics_from_json(content: Mapping[str, Any]) -> Metrics:
    confusion = tuple(tuple(row) for row in content["confusion"])
    low, high = content["accuracy_95"]
    names = tuple(content.get("by_label", ()))
    return Metrics(
        images=content["images"],
        accuracy=content["accuracy"],
        accuracy_95=(low, high),
        macro_f1=content["macro_f1"],
        balanced_accuracy=content.get("balanced_accuracy", _balanced_accuracy(confusion)),
        confusion=confusion,
        top2=content.get("top2"),
        log_loss=content.get("log_loss"),
        class_names=LABELS if has_emotions(names) or len(names) != len(confusion) else names,
    )


def _balanced_accuracy(confusion: tuple[tuple[int, ...], ...]) -> float:
    recalls = [row[k] / sum(row) for k, row in enumerate(confusion) if sum(row)]
    return sum(recalls) / len(recalls)


def _people_from_json(content: Mapping[str, Any]) -> PeopleMetrics:
    clear = content.get("clear")
    return PeopleMetrics(
        clear=None if clear is None else ClearFaces(**{**clear, "accuracy_95": tuple(clear["accuracy_95"])}),
        neutral_called_negative=_optional(_proportion_from_json, content, "neutral_called_negative"),
        negatives_found=_optional(_proportion_from_json, content, "negatives_found"),
    )


def _proportion_from_json(content: Mapping[str, Any]) -> Proportion:
    low, high = content["share_95"]
    return Proportion(content["images"], content["share"], (low, high))


def _optional(read: Callable[[Mapping[str, Any]], T], content: Mapping[str, Any], name: str) -> T | None:
    return None if content.get(name) is None else read(content[name])


def _with_lists(content: Any) -> Any:
    """Return JSON content with tuples as lists, which is what JSON makes of them."""
    if isinstance(content, dict):
        return {name: _with_lists(value) for name, value in content.items()}
    return list(content) if isinstance(content, tuple) else content
