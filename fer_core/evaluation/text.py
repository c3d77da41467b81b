"""Evaluation results as lines to read on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from fer_core.evaluation.metrics import PeopleMetrics
from fer_core.evaluation.results import CalibrationResult, EvaluationResult, SplitResult, ViewMetrics
from fer_core.evaluation.truth import Truth
from fer_core.formats import percent
from fer_core.models.label_sets import title_of


def truth_name(truth: Truth, fer2013: bool = False) -> str:
    """Return what a truth is called within a sentence.

    >>> truth_name(Truth.LABELS, fer2013=True)
    "FER-2013's labels"
    """
    if truth is Truth.MAJORITY:
        return "what most people saw"
    return "FER-2013's labels" if fer2013 else "the data set's labels"


def lines_of(result: EvaluationResult) -> list[str]:
    """Return everything that was measured of a model."""
    data = result.data
    subset = f", subset {data.subset}" if data.subset else ""
    lines = [f"{result.model} on {data.name}{' (synthetic faces)' if data.synthetic else ''}{subset}"]
    if result.trained_on:
        lines.append(
            f"  It was trained on faces of {' and '.join(result.trained_on)}: its figures there say how well "
            "it remembers, not how well it recognises."
        )
    for label_set in result.label_sets:
        if len(result.label_sets) > 1:
            lines.append(f"  Answering for {title_of(label_set)} ({label_set})")
        for split in result.splits:
            lines += _split_lines(split, result.split(split, label_set))
        lines += _calibration_lines(result.calibrations[label_set])
    return [*lines, *_robustness_lines(result), *_end_to_end_lines(result)]


def people_sentence(people: PeopleMetrics) -> str:
    """Say in a sentence whether a model agrees with people where they agree; nothing if that was not measured.

    >>> people_sentence(PeopleMetrics(None, Proportion(577, 0.016, (0.009, 0.029)), None))
    'It calls 1.6 % of the clearly neutral faces negative.'
    """
    parts = []
    if people.clear:
        parts.append(f"is right on {percent(people.clear.accuracy)} of the faces that people agree on")
    if neutral := people.neutral_called_negative:
        parts.append(f"calls {percent(neutral.share)} of the clearly neutral faces negative")
    if negatives := people.negatives_found:
        parts.append(f"finds {percent(negatives.share)} of the negative ones")
    *first, last = parts or [""]
    return f"It {', '.join(first)}{' and ' if first else ''}{last}." if last else ""


def _split_lines(split: str, result: SplitResult) -> Iterator[str]:
    yield f"  {split}, {result.labels.one_view.images:,} images"
    yield from _view_lines("against the labels", result.labels)
    if result.without_copies:
        images = result.without_copies.one_view.images
        yield from _view_lines(f"the same for {images:,} not also in Training", result.without_copies)
    if result.majority:
        majority = result.majority.one_view
        yield from _view_lines(
            f"against what most people saw (unique majority of {majority.images:,})", result.majority
        )
        recalls = ", ".join(f"{label} {each.recall:.0%}" for label, each in majority.by_label.items() if each.support)
        yield f"    recall by expression on it: {recalls}"
    if result.people:
        yield from _people_lines(result.people)


def _view_lines(name: str, metrics: ViewMetrics) -> Iterator[str]:
    for view, figures in (("one view", metrics.one_view), ("with flip", metrics.with_flip)):
        if figures:
            low, high = figures.accuracy_95
            yield (
                f"    {view}, {name}: {figures.accuracy:.2%} (95 %: {low:.1%} to {high:.1%}), "
                f"macro-F1 {figures.macro_f1:.3f}"
            )


def _people_lines(people: PeopleMetrics) -> Iterator[str]:
    if clear := people.clear:
        yield (
            f"    clear faces (at least 8 of 10 people agree), {clear.images:,}: {clear.accuracy:.1%} right, "
            f"balanced accuracy {clear.balanced_accuracy:.1%}, "
            f"wrong with a score of at least 50 %: {clear.confident_errors:.1%}"
        )
    if neutral := people.neutral_called_negative:
        yield f"    clear neutral faces called negative, of {neutral.images:,}: {neutral.share:.1%}"
    if negatives := people.negatives_found:
        yield f"    supported negatives found, of {negatives.images:,}: {negatives.share:.1%}"


def _calibration_lines(calibration: CalibrationResult) -> Iterator[str]:
    if calibration.fitted_on:
        against = f" against {truth_name(calibration.against)}" if calibration.against else ""
        yield f"  Calibration, temperature {calibration.temperature} fitted on {calibration.fitted_on}{against}"
    for split, figures in calibration.by_split.items():
        yield (
            f"    {split}: expected calibration error {figures.ece_before:.1%}, "
            f"with temperature {figures.ece_after:.1%}"
        )
        if calibration.uncertain_below is not None and figures.accuracy_covered is not None:
            yield (
                f"    {split}: best score at least {calibration.uncertain_below:.2f}: "
                f"{figures.coverage:.1%} of the faces, {figures.accuracy_covered:.1%} of them right"
            )


def _robustness_lines(result: EvaluationResult) -> Iterator[str]:
    for split, robustness in result.robustness.items():
        for name, levels in robustness.items():
            yield f"  {split}, {name}: " + ", ".join(f"{level:g}: {accuracy:.1%}" for level, accuracy in levels)


def _end_to_end_lines(result: EvaluationResult) -> Iterator[str]:
    for split, line in result.end_to_end.items():
        yield (
            f"  {split}, each of {line.faces:,} faces pasted into a scene: {line.found:.1%} found, "
            f"{line.extra:.3f} false faces a scene; accuracy on the found ones "
            f"{line.accuracy_found:.2%}, as the data set crops them {line.accuracy_cropped:.2%}"
        )
