"""Two models on the same faces, on every measure that counts: by how much they differ, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.data.votes import NEGATIVE_INDEX, clear_expression, supported_negatives
from fer_core.emotions import LABELS
from fer_core.evaluation.compare import Comparison, compare_answers
from fer_core.evaluation.scoring import Scores
from fer_core.evaluation.truth import Truth, answering_label_set, true_labels, truths
from fer_core.models.card import ModelCard

_NEUTRAL = LABELS.index("neutral")


class Measure(StrEnum):
    """What a share of faces is of; the value is what it is called within a sentence."""

    CLEAR = "clear faces right"
    NEUTRAL = "clear neutral faces not called negative"
    NEGATIVES = "supported negatives found"
    MAJORITY = "unique majority"
    LABELS = "labels"


@dataclass(frozen=True, eq=False)
class PairedMeasure:
    """One measure of two models on the same faces.

    Attributes:
        measure: which.
        faces: so many faces it is of.
        first, second: share of them on which each model is right, 0 to 1.
        comparison: how the two differ.
    """

    measure: Measure
    faces: int
    first: float
    second: float
    comparison: Comparison


@dataclass(frozen=True, eq=False)
class ScoredModel:
    """A model's card, and its scores by split."""

    card: ModelCard
    scores: Mapping[str, Scores]

    def answers(self, split: str, truth: Truth | None) -> np.ndarray:
        """Return the answer to each face of a split, int64 (n,), by the label set made for a truth, else the default.

        Answers are those of one view.
        """
        label_sets = self.card.label_sets
        name = label_sets[0] if truth is None else answering_label_set(label_sets, truth)
        return self.scores[split].by_label_set(self.card)[name].probs.argmax(axis=1)


def paired_measures(faces: FaceSet, split: str, first: ScoredModel, second: ScoredModel) -> list[PairedMeasure]:
    """Compare two models on every measure that the data set allows.

    Args:
        faces: the data set; what people saw is measured where it has votes.
        split: on which both were scored.
        first, second: the models. Against the labels each answers by its label set for them, if it has one.
    """
    rows = faces.rows_of(split)
    return [
        PairedMeasure(measure, len(right_a), float(right_a.mean()), float(right_b.mean()), comparison)
        for measure, truth, right in _rights(faces, rows)
        for comparison, right_a, right_b in _compared(first.answers(split, truth), second.answers(split, truth), right)
    ]


def lines_of_pair(split: str, first: str, second: str, measures: list[PairedMeasure]) -> list[str]:
    """Return a comparison as lines to read on a terminal."""
    lines = [f"{second} against {first}, {split}, the same faces (McNemar's exact test)"]
    for each in measures:
        low, high = sorted(-100 * value for value in each.comparison.difference_95)
        p = each.comparison.p_value
        lines.append(
            f"    {each.measure}, {each.faces:,}: {each.second:.1%} against {each.first:.1%}, "
            f"{100 * (each.second - each.first):+.1f} points (95 %: {low:+.1f} to {high:+.1f}), "
            f"p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
        )
    return lines


def pair_to_json(first: str, split: str, measures: list[PairedMeasure]) -> dict[str, Any]:
    """Return a comparison as plain JSON values; differences are of the second model less the first, 0 to 1."""
    return {
        "with": first,
        "split": split,
        "measures": {
            each.measure.name.lower(): {
                "images": each.faces,
                "share": each.second,
                "share_of_other": each.first,
                "difference": each.second - each.first,
                "difference_95": sorted(-value for value in each.comparison.difference_95),
                "p_value": each.comparison.p_value,
            }
            for each in measures
        },
    }


@dataclass(frozen=True, eq=False)
class _Right:
    """Which answers count as right: int (n,) `truth`, -1 for faces that are not concerned; or anything not `wrong`."""

    truth: np.ndarray
    wrong: tuple[int, ...] = ()

    def of(self, answers: np.ndarray) -> np.ndarray:
        chosen = self.truth >= 0
        if self.wrong:
            return ~np.isin(answers[chosen], self.wrong)
        return answers[chosen] == self.truth[chosen]


def _rights(faces: FaceSet, rows: np.ndarray) -> Iterator[tuple[Measure, Truth | None, _Right]]:
    labels = faces.labels[rows].astype(np.int64)
    if Truth.MAJORITY in truths(faces, rows) and faces.votes is not None:
        votes = faces.votes[rows]
        clear = clear_expression(votes)
        yield Measure.CLEAR, None, _Right(clear)
        yield Measure.NEUTRAL, None, _Right(np.where(clear == _NEUTRAL, clear, -1), NEGATIVE_INDEX)
        yield Measure.NEGATIVES, None, _Right(supported_negatives(votes, labels))
        yield Measure.MAJORITY, None, _Right(true_labels(faces, rows, Truth.MAJORITY))
    yield Measure.LABELS, Truth.LABELS, _Right(labels)


def _compared(
    answers_a: np.ndarray, answers_b: np.ndarray, right: _Right
) -> Iterator[tuple[Comparison, np.ndarray, np.ndarray]]:
    """Yield the comparison and who is right, nothing where no face is concerned."""
    chosen = right.truth >= 0
    if chosen.any():
        agreement = float(np.mean(answers_a[chosen] == answers_b[chosen]))
        right_a, right_b = right.of(answers_a), right.of(answers_b)
        yield compare_answers(right_a, right_b, agreement), right_a, right_b
