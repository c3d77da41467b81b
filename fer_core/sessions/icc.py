"""Intraclass correlation: how far raters give the same targets the same values.

Names and formulas are those of McGraw and Wong (1996), Forming inferences about some intraclass correlation
coefficients, Psychological Methods 1(1), 30-46, with Shrout and Fleiss' (1979), Psychological Bulletin 86(2), 420-428,
beside them. Intervals take targets for independent, which moments of one recording are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution

from fer_core.errors import SessionError

MIN_TARGETS = 3


@dataclass(frozen=True)
class Coefficient:
    """An intraclass correlation with its interval.

    Attributes:
        value: at most 1; None where nothing varies.
        low: lower end of the 95 % interval; None where `value` is.
        high: its upper end.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class IntraclassCorrelation:
    """The intraclass correlations of a single rater's values.

    Attributes:
        targets: how many were rated.
        raters: how many rated each.
        one_way: ICC(1), Shrout and Fleiss' ICC(1,1): each target has raters of its own.
        agreement: ICC(A,1), ICC(2,1): the same raters everywhere, and values must be equal.
        consistency: ICC(C,1), ICC(3,1): the same raters everywhere; a constant distance does not count.
    """

    targets: int
    raters: int
    one_way: Coefficient
    agreement: Coefficient
    consistency: Coefficient


def intraclass_correlation(ratings: np.ndarray, confidence: float = 0.95) -> IntraclassCorrelation:
    """Return the intraclass correlations of ratings.

    Args:
        ratings: float (n, k), a row a target, a column a rater, without gaps.
        confidence: of the intervals, between 0 and 1.

    Raises:
        SessionError: there are fewer than 3 targets or 2 raters, or a rating is missing.
    """
    ratings = np.asarray(ratings, np.float64)
    if ratings.ndim != 2 or len(ratings) < MIN_TARGETS or ratings.shape[1] < 2 or not np.isfinite(ratings).all():
        raise SessionError(
            f"An intraclass correlation needs at least {MIN_TARGETS} targets, each rated by the same 2 or more raters, "
            f"got an array of {ratings.shape}{'' if np.isfinite(ratings).all() else ' with gaps'}. Rate more of them."
        )
    n, k = ratings.shape
    squares = _MeanSquares.of(ratings)
    tail = (1 + confidence) / 2
    one_way = _by_ratio(squares.rows, squares.within, k, (n - 1, n * (k - 1)), tail)
    consistency = _by_ratio(squares.rows, squares.error, k, (n - 1, (n - 1) * (k - 1)), tail)
    return IntraclassCorrelation(n, k, one_way, _agreement(squares, n, k, tail), consistency)


@dataclass(frozen=True)
class _MeanSquares:
    """Of the analysis of variance: between targets, between raters, what neither explains, within targets."""

    rows: float
    columns: float
    error: float
    within: float

    @classmethod
    def of(cls, ratings: np.ndarray) -> _MeanSquares:
        n, k = ratings.shape
        ratings = ratings - ratings.mean()
        rows, columns = ratings.mean(axis=1, keepdims=True), ratings.mean(axis=0, keepdims=True)
        # What is nothing but rounding of equal values is nothing.
        least = ratings.size * np.finfo(np.float64).eps ** 2 * float(np.square(ratings).sum() + 1)
        sums = (
            k * float(np.square(rows).sum()),
            n * float(np.square(columns).sum()),
            float(np.square(ratings - rows - columns).sum()),
            float(np.square(ratings - rows).sum()),
        )
        freedom = (n - 1, k - 1, (n - 1) * (k - 1), n * (k - 1))
        return cls(*(0.0 if each <= least else each / degrees for each, degrees in zip(sums, freedom, strict=True)))


def _by_ratio(rows: float, rest: float, k: int, freedom: tuple[int, int], tail: float) -> Coefficient:
    """Return a coefficient that is a function of one F ratio."""
    if not rows and not rest:
        return Coefficient(None, None, None)
    if not rest:
        return Coefficient(1.0, 1.0, 1.0)
    low_f = rows / rest / float(f_distribution.ppf(tail, *freedom))
    high_f = rows / rest * float(f_distribution.ppf(tail, *reversed(freedom)))
    return Coefficient(
        (rows - rest) / (rows + (k - 1) * rest), (low_f - 1) / (low_f + k - 1), (high_f - 1) / (high_f + k - 1)
    )


def _agreement(squares: _MeanSquares, n: int, k: int, tail: float) -> Coefficient:
    """Return ICC(A,1), its interval by Satterthwaite's degrees of freedom."""
    rows, columns, error = squares.rows, squares.columns, squares.error
    whole = rows + (k - 1) * error + k * (columns - error) / n
    if whole <= 0:
        return Coefficient(None, None, None)
    value = (rows - error) / whole
    if not columns and not error:
        return Coefficient(1.0, 1.0, 1.0)
    a, b = k * value / (n * (1 - value)), 1 + k * value * (n - 1) / (n * (1 - value))
    parts = (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    freedom = (a * columns + b * error) ** 2 / parts if parts else 1.0
    low_f = float(f_distribution.ppf(tail, n - 1, freedom))
    high_f = float(f_distribution.ppf(tail, freedom, n - 1))
    spread = k * columns + (k * n - k - n) * error
    return Coefficient(
        value,
        n * (rows - low_f * error) / (low_f * spread + n * rows),
        n * (high_f * rows - error) / (spread + n * high_f * rows),
    )
