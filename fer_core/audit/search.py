"""Which faces to show, in which order: the search behind the gallery, saved subsets and the filters of pages."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.audit.findings import Findings
from fer_core.audit.problems import find_problem, problem_keys
from fer_core.audit.votes import votes_for_label
from fer_core.data.votes import has_votes, unique_majority
from fer_core.emotions import LABELS
from fer_core.errors import DataError

# What people saw when it is not one of the seven expressions: contempt, unknown or no face, or no answer
# got more votes than any other.
OTHER = "something else"
NOT_VOTED = "not voted on"

# From this suspicion on a face is called suspicious: more speaks against its label than for it.
SUSPICIOUS = 0.5

_ANSWERS = (*LABELS, OTHER, NOT_VOTED)

# Those that need a model's scores.
CONFIDENCE_ORDERS: tuple[str, ...] = ("least_confident", "most_confident")
ORDERS: tuple[str, ...] = ("row", "issue_score", "brightness", "contrast", "shuffled", *CONFIDENCE_ORDERS)

# A numeric filter: from and to, both included.
Range = tuple[float, float]
# The numeric filters of a query, with the least and the greatest value that each can have.
RANGES: Mapping[str, Range] = {
    "label_votes": (0, 10),
    "issue_score": (0, 1),
    "brightness": (0, 255),
    "contrast": (0, 127.5),
    "confidence": (0, 1),
}
_NAMES = ("splits", "labels", "seen", "problems", "tags", "predicted")


@dataclass(frozen=True)
class Query:
    """Which faces, in which order. Empty tuples and None stand for all.

    Attributes:
        splits: names out of `SPLITS`.
        labels: names of classes.
        seen: what most people saw, names out of `LABELS`, `OTHER` and `NOT_VOTED`; of a data set without votes
            every face is not voted on.
        suspicious: True for suspicious faces only, False for the others, None for all.
        corrected: True for faces with a correction only, False for the others, None for all.
        problems: keys of problems, of which a face has at least one.
        tags: names of tags, of which a face has at least one.
        label_votes: how many people voted for the label, 0 to 10; faces that nobody voted on have no such number.
        issue_score: 0 to 1.
        brightness: mean gray value, 0 to 255.
        contrast: standard deviation of the gray values, 0 to 127.5.
        predicted: what a model predicts, names out of `LABELS`.
        confidence: the model's score of what it predicts, 0 to 1.
        order: one of `ORDERS`; the most suspicious first, the darkest and flattest first.
        seed: of the shuffle; the same seed gives the same order, whatever is left out.
    """

    splits: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    suspicious: bool | None = None
    corrected: bool | None = None
    problems: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    label_votes: Range | None = None
    issue_score: Range | None = None
    brightness: Range | None = None
    contrast: Range | None = None
    predicted: tuple[str, ...] = ()
    confidence: Range | None = None
    order: str = "row"
    seed: int = 0

    @property
    def needs_scores(self) -> bool:
        """Whether the query asks for what a model predicts."""
        return bool(self.predicted) or self.confidence is not None or self.order in CONFIDENCE_ORDERS

    def to_dict(self) -> dict[str, Any]:
        """Return the query as plain JSON values; what has its default is left out."""
        return {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Query:
        """Return the query that `to_dict` wrote.

        Raises:
            DataError: a field is unknown or has a value that cannot be used.
        """
        checks = {field.name: _is_text_list if field.name in _NAMES else _is_range for field in dataclasses.fields(cls)}
        checks |= {name: lambda value: value is None or isinstance(value, bool) for name in ("suspicious", "corrected")}
        checks |= {"order": lambda value: value in ORDERS, "seed": lambda value: type(value) is int and value >= 0}
        for name, value in content.items():
            if name not in checks or not checks[name](value):
                raise DataError(f"A query has {name[:40]!r} with a value that cannot be used: {str(value)[:60]}.")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
        }
        return cls(**values)


def find_faces(
    findings: Findings,
    query: Query,
    *,
    tags: Mapping[str, np.ndarray] | None = None,
    corrected: Collection[int] = (),
    probs: np.ndarray | None = None,
) -> np.ndarray:
    """Return the rows that a query asks for, int64 (m,), in its order; equals in row order.

    Args:
        findings: of n faces.
        query: what is looked for.
        tags: the rows of each tag, int (t,).
        corrected: rows that have a correction.
        probs: a model's scores, float (n, k) in the order of the class names.

    Raises:
        DataError: the query asks for a model's predictions, but there are no scores.
    """
    if query.needs_scores and probs is None:
        raise DataError("These faces are chosen by a model's predictions, which were not computed yet. Ask the model.")
    wanted = _wanted(findings, query) & _tagged(len(findings.labels), query, tags or {}, corrected)
    if probs is not None:
        wanted &= _predicted(query, probs, findings.class_names)
    rows = np.flatnonzero(wanted)
    if query.order == "row":
        return rows
    return rows[np.argsort(_rank(findings, query, probs)[rows], kind="stable")]


def seen_answers(votes: np.ndarray | None, n: int) -> np.ndarray:
    """Return what most people saw in each of `n` faces, int64 (n,): index into `LABELS`, then `OTHER`, `NOT_VOTED`."""
    if votes is None:
        return np.full(n, _ANSWERS.index(NOT_VOTED))
    majority = unique_majority(votes)
    answers = np.where(majority >= 0, majority, _ANSWERS.index(OTHER))
    return np.where(has_votes(votes), answers, _ANSWERS.index(NOT_VOTED))


def _wanted(findings: Findings, query: Query) -> np.ndarray:
    """Return which faces, bool (n,), pass the filters that need the findings alone."""
    wanted = np.ones(len(findings.labels), bool)
    if query.splits:
        wanted &= findings.in_splits(*query.splits)
    if query.labels:
        wanted &= np.isin(findings.labels, [findings.class_names.index(name) for name in query.labels])
    if query.seen:
        answers = seen_answers(findings.votes, len(wanted))
        wanted &= np.isin(answers, [_ANSWERS.index(name) for name in query.seen])
    if query.suspicious is not None:
        wanted &= (findings.issue_score.score >= SUSPICIOUS) == query.suspicious
    if query.problems:
        known = [key for key in query.problems if key in problem_keys(findings)]
        faulty = [find_problem(findings, key).rows for key in known]
        wanted &= _at_rows(len(wanted), np.concatenate([np.empty(0, np.int64), *faulty]))
    return wanted & _within_ranges(findings, query)


def _within_ranges(findings: Findings, query: Query) -> np.ndarray:
    within = np.ones(len(findings.labels), bool)
    if query.label_votes is not None:
        within &= _label_votes_between(findings, query.label_votes)
    if query.issue_score is not None:
        within &= _between(findings.issue_score.score, query.issue_score)
    if query.brightness is not None:
        within &= _between(findings.image_stats.mean, query.brightness)
    if query.contrast is not None:
        within &= _between(findings.image_stats.std, query.contrast)
    return within


def _label_votes_between(findings: Findings, limits: Range) -> np.ndarray:
    if findings.votes is None:
        return np.zeros(len(findings.labels), bool)
    return has_votes(findings.votes) & _between(votes_for_label(findings.votes, findings.labels), limits)


def _tagged(n: int, query: Query, tags: Mapping[str, np.ndarray], corrected: Collection[int]) -> np.ndarray:
    chosen = np.ones(n, bool)
    if query.tags:
        rows = [tags[name] for name in query.tags if name in tags]
        chosen &= _at_rows(n, np.concatenate([np.empty(0, np.int64), *rows]))
    if query.corrected is not None:
        chosen &= _at_rows(n, np.array(sorted(corrected), np.int64)) == query.corrected
    return chosen


def _predicted(query: Query, probs: np.ndarray, class_names: tuple[str, ...]) -> np.ndarray:
    chosen = np.ones(len(probs), bool)
    if query.predicted:
        chosen &= np.isin(probs.argmax(axis=1), [class_names.index(name) for name in query.predicted])
    if query.confidence is not None:
        chosen &= _between(probs.max(axis=1), query.confidence)
    return chosen


def _between(values: np.ndarray, limits: Range) -> np.ndarray:
    # Limits have two decimals at most; float32 values such as 0.1 lie a little beside them.
    return (values >= limits[0] - 1e-6) & (values <= limits[1] + 1e-6)


def _at_rows(n: int, rows: np.ndarray) -> np.ndarray:
    mask = np.zeros(n, bool)
    mask[rows] = True
    return mask


def _rank(findings: Findings, query: Query, probs: np.ndarray | None) -> np.ndarray:
    """Return what to sort by, float (n,), ascending."""
    if query.order in CONFIDENCE_ORDERS and probs is not None:
        confidence = probs.max(axis=1)
        return confidence if query.order == "least_confident" else -confidence
    if query.order == "issue_score":
        return -findings.issue_score.score
    if query.order == "brightness":
        return findings.image_stats.mean
    if query.order == "contrast":
        return findings.image_stats.std
    if query.order == "shuffled":
        return np.random.default_rng(query.seed).random(len(findings.labels))
    raise ValueError(f"order must be one of {', '.join(ORDERS)}, got {query.order!r}")


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_range(value: Any) -> bool:
    return value is None or (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(limit, int | float) and not isinstance(limit, bool) for limit in value)
        and all(math.isfinite(limit) for limit in value)
    )
