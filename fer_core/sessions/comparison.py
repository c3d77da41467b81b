"""Conditions compared: mean scores by time with a band, shares of expressions, and how sure the differences are.

People are drawn at random, frames are not: frames of one person are alike, and to resample them would give bands far
too narrow. All sessions of a participant in a condition count as one, and the bootstrap draws participants.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import DegenerateDataWarning, bootstrap

from fer_core.sessions.analysis import shares_of

RESAMPLES = 2000
_SEED = 0
_AT_ONCE = 50  # resamples, so that memory stays small


@dataclass(frozen=True, eq=False)
class Recorded:
    """A session's part in a comparison: who, in what condition, and its rows, ranges that are left out gone."""

    participant: str
    condition: str
    rows: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Estimate:
    """A mean over participants with its 95 % interval; the interval is NaN for a single participant."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Condition:
    """One condition.

    Attributes:
        name: of the condition.
        participants: in order.
        sessions: how many.
        course: mean scores of the participants, (t, k), by time.
        shares: mean shares of the participants, (k,).
        by_participant: their shares, (participants, k).
    """

    name: str
    participants: tuple[str, ...]
    sessions: int
    course: Estimate
    shares: Estimate
    by_participant: np.ndarray


@dataclass(frozen=True, eq=False)
class Difference:
    """How much larger the shares are in the second of two conditions than in the first.

    Attributes:
        first: name of a condition.
        second: name of the other.
        estimate: (k,), of the differences.
        paired: whether the same participants were in both, so that each is compared with itself.
        participants: how many were compared; of both conditions together if not paired.
    """

    first: str
    second: str
    estimate: Estimate
    paired: bool
    participants: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """Conditions side by side.

    Attributes:
        time_s: (t,), middles of the spans that courses are averaged over.
        conditions: by name.
        differences: of every condition from the first one.
    """

    time_s: np.ndarray
    conditions: tuple[Condition, ...]
    differences: tuple[Difference, ...]


def compare_conditions(recorded: Sequence[Recorded], labels: Sequence[str], spans: int = 60) -> Comparison:
    """Compare conditions.

    Args:
        recorded: sessions, at least one with a face; those of one participant and condition are averaged.
        labels: the k names of the scores.
        spans: how many equal spans of time courses are averaged over.
    """
    end_s = max((float(each.rows["time_s"].max()) for each in recorded if len(each.rows)), default=0.0)
    edges = np.linspace(0, max(end_s, 0.1), spans + 1)
    names = sorted({each.condition for each in recorded})
    conditions = tuple(
        _condition(name, [each for each in recorded if each.condition == name], labels, edges) for name in names
    )
    differences = tuple(_difference(conditions[0], other) for other in conditions[1:])
    return Comparison((edges[:-1] + edges[1:]) / 2, conditions, differences)


def course_of(rows: pd.DataFrame, labels: Sequence[str], edges: np.ndarray) -> np.ndarray:
    """Return mean scores of all faces together in spans of time, float (t, k), NaN where none was there."""
    faces = rows.dropna(subset="face")
    span = np.clip(np.searchsorted(edges, faces["time_s"].to_numpy(np.float64), side="right") - 1, 0, len(edges) - 2)
    means = faces[list(labels)].groupby(span).mean().reindex(range(len(edges) - 1))
    return means.to_numpy(np.float64)


def _condition(name: str, recorded: Sequence[Recorded], labels: Sequence[str], edges: np.ndarray) -> Condition:
    participants = tuple(sorted({each.participant for each in recorded}))
    by_participant: Mapping[str, list[Recorded]] = {
        participant: [each for each in recorded if each.participant == participant] for participant in participants
    }
    courses = np.stack(
        [_nan_mean(np.stack([course_of(e.rows, labels, edges) for e in own])) for own in by_participant.values()]
    )
    shares = np.stack(
        [_nan_mean(np.stack([shares_of(e.rows, labels).shares for e in own])) for own in by_participant.values()]
    )
    return Condition(name, participants, len(recorded), _estimate(courses), _estimate(shares), shares)


def _difference(first: Condition, second: Condition) -> Difference:
    both = [name for name in first.participants if name in second.participants]
    if len(both) >= 2:
        a, b = (each.by_participant[[each.participants.index(name) for name in both]] for each in (first, second))
        return Difference(first.name, second.name, _estimate(b - a), True, len(both))
    a, b = first.by_participant, second.by_participant
    mean = _nan_mean(b) - _nan_mean(a)
    low, high = _interval((a, b), lambda x, y, axis: _nan_mean(y, axis) - _nan_mean(x, axis))
    return Difference(first.name, second.name, Estimate(mean, low, high), False, len(a) + len(b))


def _estimate(values: np.ndarray) -> Estimate:
    """Return the mean of values (participants, …) with its interval over participants."""
    low, high = _interval((values,), _nan_mean)
    seen = np.isfinite(values).sum(axis=0) >= 2  # a band of one person would say nothing
    mean = _nan_mean(values)
    return Estimate(mean, np.where(seen, low, np.nan), np.where(seen, high, np.nan))


def _interval(samples: tuple[np.ndarray, ...], statistic: Callable[..., np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    if min(map(len, samples)) < 2:
        absent = np.full(samples[0].shape[1:], np.nan)
        return absent, absent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)  # people who all have the same have an interval of 0
        result = bootstrap(
            samples,
            statistic,
            axis=0,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=_AT_ONCE,
            method="percentile",
            rng=np.random.default_rng(_SEED),
        )
    return result.confidence_interval.low, result.confidence_interval.high


def _nan_mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the mean without NaN; NaN where there is nothing else."""
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(there, values, 0.0).sum(axis=axis) / there.sum(axis=axis)
