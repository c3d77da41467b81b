"""Two models on the same faces: where they differ, and whether by more than chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two models say about the same n faces.

    Attributes:
        both, only_first, only_second, neither: bool (n,), who is right.
        agreement: share of faces on which both say the same, right or wrong, 0 to 1.
        difference: accuracy of the first less that of the second, -1 to 1.
        difference_95: its 95 % interval (low, high), for paired faces.
        p_value: how likely so unequal a split of the faces on which one alone is right would be if both
            were equally good: McNemar's exact test, two-sided.
    """

    both: np.ndarray
    only_first: np.ndarray
    only_second: np.ndarray
    neither: np.ndarray
    agreement: float
    difference: float
    difference_95: tuple[float, float]
    p_value: float

    @property
    def more_than_chance(self) -> bool:
        """Whether the difference is significant at 5 %."""
        return self.p_value < 0.05


def compare(first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> Comparison:
    """Compare two models.

    Args:
        first, second: float (n, k), their scores of the same faces.
        labels: int (n,), the true columns; n at least 1.
    """
    a, b = first.argmax(axis=1), second.argmax(axis=1)
    return compare_answers(a == labels, b == labels, float(np.mean(a == b)))


def compare_answers(right_a: np.ndarray, right_b: np.ndarray, agreement: float) -> Comparison:
    """Compare two models by which of their answers are right.

    Args:
        right_a, right_b: bool (n,), whether the first and the second model are right on each face; n at least 1.
        agreement: share of faces on which both say the same, 0 to 1.
    """
    gain, loss, n = int(np.sum(right_a & ~right_b)), int(np.sum(~right_a & right_b)), len(right_a)
    difference = (gain - loss) / n
    spread = 1.96 * np.sqrt(gain + loss - (gain - loss) ** 2 / n) / n
    return Comparison(
        both=right_a & right_b,
        only_first=right_a & ~right_b,
        only_second=~right_a & right_b,
        neither=~right_a & ~right_b,
        agreement=agreement,
        difference=difference,
        difference_95=(difference - float(spread), difference + float(spread)),
        p_value=float(binomtest(gain, gain + loss, 0.5).pvalue) if gain + loss else 1.0,
    )
