"""Whether a model agrees with people where people agree: the figures that a viewer would call right or wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fer_core.charts.evaluation import AccuracyPoint
from fer_core.evaluation.metrics import PeopleMetrics, Proportion
from fer_core.evaluation.truth import Truth
from fer_core.formats import percent
from fer_core.ui.evaluate.view import Evaluation, Measured

CLEAR_HELP = "Accuracy on the faces for which at least 8 of 10 people saw the same expression"
NEUTRAL_HELP = "Share of the clear neutral faces that is called angry, disgusted, fearful or sad: lower is better"
NEGATIVES_HELP = (
    "Share recognised of the faces labelled angry, disgusted, fearful or sad for which at least 4 of 10 people saw the "
    "same expression"
)
# Name and meaning of each column of a table of `people_cells`.
PEOPLE_HEAD = (
    ("Model", ""),
    ("Clear faces right", CLEAR_HELP),
    ("Balanced accuracy", "Mean recall of the expressions on the clear faces"),
    ("Wrong with a score ≥ 50 %", "Share of the clear faces that is wrong with a score of at least 50 %"),
    ("Clear neutral called negative", NEUTRAL_HELP),
    ("Supported negatives found", NEGATIVES_HELP),
)


def people_figures(people: PeopleMetrics | None) -> str:
    """Return a list of the three figures as HTML; nothing without votes."""
    if people is None:
        return ""
    clear = people.clear and Proportion(people.clear.images, people.clear.accuracy, people.clear.accuracy_95)
    lines = [
        _line("Clear faces right", clear, CLEAR_HELP),
        _line("Clear neutral called negative", people.neutral_called_negative, NEUTRAL_HELP),
        _line("Supported negatives found", people.negatives_found, NEGATIVES_HELP),
    ]
    return f'<dl class="fer-people">{"".join(lines)}</dl>'


def people_cells(people: PeopleMetrics | None) -> Iterator[str]:
    """Give the cells of a row of the table of `PEOPLE_HEAD`, after its name."""
    clear = people and people.clear
    yield share_cell(clear.accuracy, clear.accuracy_95, clear.images) if clear else "–"
    yield percent(clear and clear.balanced_accuracy)
    yield percent(clear and clear.confident_errors)
    for proportion in (people and people.neutral_called_negative, people and people.negatives_found):
        yield share_cell(proportion.share, proportion.share_95, proportion.images) if proportion else "–"


def share_cell(share: float, interval: tuple[float, float], images: int | None = None) -> str:
    """Return a share from 0 to 1 over its 95 % interval and, where they are given, the faces it is of."""
    faces = "" if images is None else f" · {images:,} faces"
    return f"<b>{percent(share)}</b><small>{interval[0] * 100:.1f} to {interval[1] * 100:.1f} %{faces}</small>"


def people_points(found: Evaluation, truth: Truth) -> Mapping[str, Sequence[AccuracyPoint]]:
    """Return a group of points for each figure, with one point a model."""
    groups: dict[str, list[AccuracyPoint]] = {}
    for model in found.models:
        people = model.split_result(found.split, truth).people
        if people is None:
            continue
        if clear := people.clear:
            proportion = Proportion(clear.images, clear.accuracy, clear.accuracy_95)
            _add(groups, "Clear faces right", model, proportion)
        if neutral := people.neutral_called_negative:
            _add(groups, "Clear neutral called negative", model, neutral)
        if negatives := people.negatives_found:
            _add(groups, "Supported negatives found", model, negatives)
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
