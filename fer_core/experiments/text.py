"""The result of a comparison as sentences and as a table."""

from __future__ import annotations

from collections.abc import Iterator

from fer_core.audit.automatic_corrections import CONTRADICTED
from fer_core.audit.corrections import EXCLUDE
from fer_core.evaluation.paired_difference import PairedDifference
from fer_core.experiments.plan import Arm
from fer_core.experiments.result import CLEAR, LABELS_MEASURE, MAJORITY, UNTOUCHED, CleaningResult, Measure

TITLES = {
    LABELS_MEASURE: "the data set's labels",
    UNTOUCHED: "the labels of faces untouched by corrections",
    MAJORITY: "what most people saw",
    CLEAR: "faces that people agree on",
}
_MINUS = "\N{MINUS SIGN}"


def sentence(measure: Measure, seeds: int) -> str:
    """Say whether cleaning changed accuracy.

    >>> change = PairedDifference(3589, 0.58, 0.584, 0.004, -0.003, 0.011)
    >>> sentence(Measure("labels", change, {}, (), (), ()), 3)
    "Cleaning changed accuracy on the data set's labels by +0.4 points (95 %: −0.3 to +1.1) over 3 seeds: no \
difference can be claimed."
    """
    change = measure.overall
    verdict = "no difference can be claimed"
    if change.significant:
        verdict = f"the network got {'better' if change.difference > 0 else 'worse'}"
    only = "" if seeds > 1 else " Other seeds may give another result."
    return (
        f"Cleaning changed accuracy on {TITLES[measure.key]} by {points(change.difference)} points "
        f"({interval(change)}) over {seeds} {'seed' if seeds == 1 else 'seeds'}: {verdict}.{only}"
    )


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, with its sign.

    >>> points(0.0042), points(-0.01), points(-0.0001)
    ('+0.4', '−1.0', '0.0')
    """
    text = f"{difference * 100:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", _MINUS)


def interval(change: PairedDifference) -> str:
    """Return the interval of a difference in percentage points: "95 %: −0.3 to +1.1"."""
    return f"95 %: {points(change.low)} to {points(change.high)}"


def lines_of(result: CleaningResult) -> list[str]:
    """Return everything about a comparison as lines to read on a terminal."""
    before, after = (result.training_faces[arm] for arm in Arm)
    lines = [f"{result.name}: {result.data}, {before:,} training images as they are, {after:,} after cleaning"]
    lines += [f"  {text}" for text in correction_sentences(result)]
    for split, measures in result.splits.items():
        lines += ["", *(sentence(measure, len(result.seeds)) for measure in measures)]
        lines += ["", *_table(split, measures)]
    return [*lines, "", text] if (text := caution(result)) else lines


def correction_sentences(result: CleaningResult) -> list[str]:
    """Return what was corrected, a sentence for each action and reason."""
    sentences = []
    for count in result.corrections:
        done = "excluded" if count.action == EXCLUDE else "relabelled"
        elsewhere = f" ({count.elsewhere:,} more outside the training images, not used)" if count.elsewhere else ""
        sentences.append(f"{count.training:,} {done}: {count.reason or 'no reason given'}{elsewhere}.")
    return sentences


def caution(result: CleaningResult) -> str:
    """Return what to bear in mind about measures against votes; empty if no label was corrected by votes."""
    if not any(count.training and count.reason == CONTRADICTED for count in result.corrections):
        return ""
    return (
        "Labels were corrected to what the voters saw, so the network learned from votes: that it agrees better with "
        "voters on other faces, and worse with the published labels, is to be expected."
    )


def _table(split: str, measures: tuple[Measure, ...]) -> Iterator[str]:
    yield f"{split:<48}{'faces':>6}{'before':>9}{'after':>9}  change in points"
    for measure in measures:
        yield _row(TITLES[measure.key], measure.overall)
        if measure.key in (LABELS_MEASURE, MAJORITY):
            yield from (_row(f"  recall of {label}", change) for label, change in measure.by_label.items())


def _row(title: str, change: PairedDifference) -> str:
    return (
        f"{title:<48}{change.faces:>6,}{change.before:>9.1%}{change.after:>9.1%}  "
        f"{points(change.difference)} ({interval(change)})"
    )
