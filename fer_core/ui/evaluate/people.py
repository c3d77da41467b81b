"""Whether a model agrees with people where people agree: the figures that a viewer would call right or wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fer_core.charts.evaluation import AccuracyPoint
from fer_core.evaluation.metrics import PeopleMetrics, Proportion
from fer_core.evaluation.text import percent
from fer_core.evaluation.truth import Truth
from fer_core.ui.evaluate.view import Evaluation, Measured

CLEAR_HELP = "Accuracy on the faces for which at least 8 of 10 people saw the same expression"
NEUTRAL_HELP = "Share of the clear neutral faces that is called angry, disgusted, fearful or sad: lower is better"
NEGATIVES_HELP = (
    "Share recognised of the faces labelled angry, disgusted, fearful or sad for which at least 4 of 10 people saw the "
    "same expression"
)


def people_figures(people: PeopleMetrics | None) -> str:
    """Return a list of the three figures as HTML; nothing without votes."""
    if people is None:
        return ""
    clear = people.clear and Proportion(people.clear.images, people.clear.accuracy, people.clear.accuracy_95)
    lines = [
        _line("clear faces right", clear, CLEAR_HELP),
        _line("clear neutral faces called negative", people.neutral_called_negative, NEUTRAL_HELP),
        _line("supported negatives found", people.negatives_found, NEGATIVES_HELP),
    ]
    return f'<dl class="fer-people">{"".join(lines)}</dl>'


def people_points(found: Evaluation, truth: Truth) -> Mapping[str, Sequence[AccuracyPoint]]:
    """Return a group of points for each figure, with one point a model."""
    groups: dict[str, list[AccuracyPoint]] = {}
    for model in found.models:
        people = model.split_result(found.split, truth).people
        if people is None:
            continue
        if clear := people.clear:
            proportion = Proportion(clear.images, clear.accuracy, clear.accuracy_95)
            _add(groups, f"Clear faces right, {clear.images:,} faces", model, proportion)
        if neutral := people.neutral_called_negative:
            _add(groups, f"Clear neutral called negative, {neutral.images:,}", model, neutral)
        if negatives := people.negatives_found:
            _add(groups, f"Supported negatives found, {negatives.images:,}", model, negatives)
    return groups


def _add(groups: dict[str, list[AccuracyPoint]], heading: str, model: Measured, proportion: Proportion) -> None:
    low, high = proportion.share_95
    description = f"{model.name}: {percent(proportion.share)}, 95 % interval {low * 100:.1f} to {high * 100:.1f} %"
    point = AccuracyPoint(model.name, proportion.share, proportion.share_95, description, model.color)
    groups.setdefault(heading, []).append(point)


def _line(name: str, proportion: Proportion | None, meaning: str) -> str:
    if proportion is None:
        return ""
    return (
        f'<div title="{meaning}"><dt>{name}</dt><dd>{percent(proportion.share)}'
        f"<small> of {proportion.images:,}</small></dd></div>"
    )
