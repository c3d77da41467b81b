"""The report of an evaluation: everything that was measured of some models, as JSON and as a page of its own.

The page's words and layout are in `report.html.j2` beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

import fer_core
from fer_core.charts.palette import SERIES_COLORS
from fer_core.data.face_set import FaceSet
from fer_core.emotions import has_emotions
from fer_core.evaluation.assessment import calibration_labels
from fer_core.evaluation.calibration import Coverage, Reliability, coverage, reliability
from fer_core.evaluation.compare import Comparison, compare
from fer_core.evaluation.published import PUBLISHED
from fer_core.evaluation.report_figures import reliability_svg, robustness_svg
from fer_core.evaluation.results import EvaluationResult, RobustnessLevel, RobustnessResult, SplitResult
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.evaluation.scoring import Scores
from fer_core.evaluation.serialization import evaluation_to_json, robustness_to_json
from fer_core.evaluation.text import truth_name
from fer_core.evaluation.truth import Truth, answering_label_set, true_labels, truths
from fer_core.html_pages import template
from fer_core.models.bundle import Bundle
from fer_core.models.card import is_fer2013
from fer_core.models.label_sets import title_of

_COVERAGE_POINTS = 50
_TEMPLATE = "report.html.j2"


@dataclass(frozen=True, eq=False)
class ReportedModel:
    """A model of a report.

    Attributes:
        name: under which it is available.
        bundle: the model.
        scores: by split.
        result: what `assess` returns for these scores.
        robustness: by split, what `score_robustness` returns; empty if it was not measured.
    """

    name: str
    bundle: Bundle
    scores: Mapping[str, Scores]
    result: EvaluationResult
    robustness: Mapping[str, RobustnessResult]

    def probs(self, split: str, truth: Truth) -> np.ndarray:
        """Return the scores that are held against a truth, float32 (n, 7)."""
        label_set = answering_label_set(self.result.label_sets, truth)
        return self.scores[split].by_label_set(self.bundle.card)[label_set].probs


@dataclass(frozen=True, eq=False)
class SplitReliability:
    """Reliability of a model's default label set on a split, as trained and after its temperature, and coverage."""

    before: Reliability
    after: Reliability
    coverage: Coverage


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Two models on the split that the report puts first, against one truth."""

    first: str
    second: str
    truth: Truth
    images: int
    comparison: Comparison


@dataclass(frozen=True, eq=False)
class Report:
    """Everything that a report says.

    Attributes:
        created: when, with a time zone.
        data_name: name of the data set.
        source: name of the file it was read from.
        synthetic: whether its faces are drawn.
        sha256: of the data set.
        images: by split and class.
        split: that the report puts first.
        truths: what scores are held against, the default first.
        models: at least one.
        reliability: by name of the model and split.
        comparisons: of every two models against every truth.
        class_names: of the data set.
    """

    created: datetime
    data_name: str
    source: str
    synthetic: bool
    sha256: str
    images: Mapping[str, Mapping[str, int]]
    split: str
    truths: tuple[Truth, ...]
    models: tuple[ReportedModel, ...]
    reliability: Mapping[str, Mapping[str, SplitReliability]]
    comparisons: tuple[ModelComparison, ...]
    class_names: tuple[str, ...]

    @property
    def fer2013(self) -> bool:
        """Whether the data set is FER-2013."""
        return self.has_emotions and is_fer2013({"synthetic": self.synthetic, "images": self.images})

    @property
    def has_emotions(self) -> bool:
        """Whether its classes are the seven emotions: only these compare with what was published on FER-2013."""
        return has_emotions(self.class_names)

    @property
    def face_count(self) -> int:
        """Faces of the data set."""
        return sum(sum(by_label.values()) for by_label in self.images.values())

    @property
    def rows(self) -> list[tuple[str, str, SplitResult]]:
        """What stands in one row of a table: name, split and result of every label set of every model."""
        return [
            (_row_name(model, label_set), split, model.result.split(split, label_set))
            for model in self.models
            for label_set in model.result.label_sets
            for split in model.result.splits
        ]

    @property
    def has_people(self) -> bool:
        """Whether anything was measured against votes."""
        return any(result.people for _, _, result in self.rows)

    @property
    def robustness(self) -> dict[str, RobustnessResult]:
        """Robustness on the split that comes first, by name of the models it was measured of."""
        measured = {model.name: model.robustness.get(self.split) for model in self.models}
        return {name: result for name, result in measured.items() if result}

    def curves(self, corruption: str) -> dict[str, tuple[RobustnessLevel, ...]]:
        """Return the levels of one corruption by name of the model."""
        return {name: result[corruption] for name, result in self.robustness.items()}


def build_report(
    faces: FaceSet, data_name: str, split: str, models: Sequence[ReportedModel], created: datetime
) -> Report:
    """Gather everything that was measured.

    Args:
        faces: the data set; none of its faces gets into the report.
        data_name: its name.
        split: that the report puts first, on which every model was scored.
        models: at least one.
        created: when, with a time zone.
    """
    known_truths = truths(faces, faces.rows_of(split))
    return Report(
        created=created,
        data_name=data_name,
        source=faces.source.name,
        synthetic=faces.source.synthetic,
        sha256=faces.hash,
        images=faces.counts(),
        split=split,
        truths=known_truths,
        models=tuple(models),
        reliability={model.name: _reliability(faces, model) for model in models},
        comparisons=tuple(
            _compare(faces, first, second, split, truth)
            for first, second in combinations(models, 2)
            for truth in known_truths
        ),
        class_names=faces.class_names,
    )


def report_to_json(report: Report) -> dict[str, Any]:
    """Return a report as plain JSON values."""
    return {
        "created": report.created.isoformat(timespec="seconds"),
        "program": f"fer_core {fer_core.__version__}",
        "data": {
            "name": report.data_name,
            "source": report.source,
            "sha256": report.sha256,
            "synthetic": report.synthetic,
            "images": report.images,
            "classes": list(report.class_names),
        },
        "split": report.split,
        "models": [_model_to_json(report, model) for model in report.models],
        "comparisons": [_comparison_to_json(report.split, each) for each in report.comparisons],
        "published": [asdict(published) for published in PUBLISHED] if report.has_emotions else [],
    }


def html_report(report: Report) -> str:
    """Return a report as a page: no scripts, nothing loaded from elsewhere, every word escaped."""
    return _template().render(
        report=report,
        title=f"{', '.join(model.name for model in report.models)} on {report.data_name}, {report.split}",
        program=f"fer_core {fer_core.__version__}",
        labels=report.class_names,
        published=PUBLISHED,
        corruptions=CORRUPTIONS,
        colors=SERIES_COLORS,
        truth_names={truth: truth_name(truth, report.fer2013) for truth in Truth},
        truth=Truth,
        answering=answering_label_set,
        reliability_svg=reliability_svg,
        robustness_svg=robustness_svg,
    )


def _template() -> jinja2.Template:
    return template(Path(__file__).with_name(_TEMPLATE), interval=_interval, label_set_name=title_of)


def _reliability(faces: FaceSet, model: ReportedModel) -> dict[str, SplitReliability]:
    label_set, temperature = model.result.label_sets[0], model.result.calibration.temperature
    by_split = {}
    for split, scores in model.scores.items():
        labels, _ = calibration_labels(faces, split, label_set)
        before, labels = scores.probs[labels >= 0], labels[labels >= 0]
        after = temperature.apply(before)
        by_split[split] = SplitReliability(
            reliability(before, labels), reliability(after, labels), coverage(after, labels)
        )
    return by_split


def _compare(faces: FaceSet, first: ReportedModel, second: ReportedModel, split: str, truth: Truth) -> ModelComparison:
    labels = true_labels(faces, faces.rows_of(split), truth)
    chosen = labels >= 0
    probs, others = (model.probs(split, truth)[chosen] for model in (first, second))
    return ModelComparison(first.name, second.name, truth, int(chosen.sum()), compare(probs, others, labels[chosen]))


def _model_to_json(report: Report, model: ReportedModel) -> dict[str, Any]:
    card = model.bundle.card
    by_split = report.reliability[model.name]
    return {
        **evaluation_to_json(model.result),
        "model": model.name,
        "card": card.to_dict() | {name: list(getattr(card, name)) for name in ("labels", "limits", "label_sets")},
        "size_bytes": len(model.bundle.content),
        "ms_per_face": {split: scores.ms_per_face for split, scores in model.scores.items()},
        "reliability": {
            split: {"before": _bins_to_json(each.before), "after": _bins_to_json(each.after)}
            for split, each in by_split.items()
        },
        "coverage": {split: _coverage_to_json(each.coverage) for split, each in by_split.items()},
        "robustness": {split: robustness_to_json(result) for split, result in model.robustness.items()},
    }


def _bins_to_json(diagram: Reliability) -> list[dict[str, float | int]]:
    return [
        {
            "low": float(diagram.edges[i]),
            "high": float(diagram.edges[i + 1]),
            "faces": int(diagram.count[i]),
            "confidence": float(diagram.confidence[i]),
            "accuracy": float(diagram.accuracy[i]),
        }
        for i in np.flatnonzero(diagram.count)
    ]


def _coverage_to_json(curve: Coverage) -> list[dict[str, float]]:
    points = np.unique(np.linspace(0, len(curve.threshold) - 1, _COVERAGE_POINTS).astype(int))
    return [{name: float(getattr(curve, name)[i]) for name in ("threshold", "coverage", "accuracy")} for i in points]


def _comparison_to_json(split: str, each: ModelComparison) -> dict[str, Any]:
    comparison = each.comparison
    return {
        "first": each.first,
        "second": each.second,
        "split": split,
        "against": str(each.truth),
        "images": each.images,
        "agreement": comparison.agreement,
        "both": int(comparison.both.sum()),
        "only_first": int(comparison.only_first.sum()),
        "only_second": int(comparison.only_second.sum()),
        "neither": int(comparison.neither.sum()),
        "difference": comparison.difference,
        "difference_95": list(comparison.difference_95),
        "p_value": comparison.p_value,
        "more_than_chance": comparison.more_than_chance,
    }


def _row_name(model: ReportedModel, label_set: str) -> str:
    several = len(model.result.label_sets) > 1
    return f"{model.name}, {title_of(label_set)}" if several else model.name


def _interval(interval: Sequence[float]) -> str:
    return f"{interval[0] * 100:.1f} to {interval[1] * 100:.1f} %"
