"""Which faces to show, in which order: the search behind the gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.audit.findings import Findings
from fer_core.data.votes import has_votes, unique_majority
from fer_core.emotions import LABELS

# What people saw when it is not one of the seven expressions: contempt, unknown or no face, or no answer
# got more votes than any other.
OTHER = "something else"
NOT_VOTED = "not voted on"

# From this suspicion on a face is called suspicious: more speaks against its label than for it.
SUSPICIOUS = 0.5

_ANSWERS = (*LABELS, OTHER, NOT_VOTED)

ORDERS: tuple[str, ...] = ("row", "issue_score", "brightness", "contrast", "shuffled")


@dataclass(frozen=True)
class Query:
    """Which faces, in which order. Empty tuples stand for all.

    Attributes:
        splits: names out of `SPLITS`.
        labels: names of classes.
        seen: what most people saw, names out of `LABELS`, `OTHER` and `NOT_VOTED`; of a data set without votes
            every face is not voted on.
        suspicious: True for suspicious faces only, False for the others, None for all.
        order: one of `ORDERS`; the most suspicious first, the darkest and flattest first.
        seed: of the shuffle; the same seed gives the same order, whatever is left out.
    """

    splits: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    suspicious: bool | None = None
    order: str = "row"
    seed: int = 0


def find_faces(findings: Findings, query: Query) -> np.ndarray:
    """Return the rows that a query asks for, int64 (m,), in its order; equals in row order."""
    rows = np.flatnonzero(_wanted(findings, query))
    if query.order == "row":
        return rows
    return rows[np.argsort(_rank(findings, query)[rows], kind="stable")]


def seen_answers(votes: np.ndarray | None, n: int) -> np.ndarray:
    """Return what most people saw in each of `n` faces, int64 (n,): index into `LABELS`, then `OTHER`, `NOT_VOTED`."""
    if votes is None:
        return np.full(n, _ANSWERS.index(NOT_VOTED))
    majority = unique_majority(votes)
    answers = np.where(majority >= 0, majority, _ANSWERS.index(OTHER))
    return np.where(has_votes(votes), answers, _ANSWERS.index(NOT_VOTED))


def _wanted(findings: Findings, query: Query) -> np.ndarray:
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
    return wanted


def _rank(findings: Findings, query: Query) -> np.ndarray:
    """Return what to sort by, float (n,), ascending."""
    if query.order == "issue_score":
        return -findings.issue_score.score
    if query.order == "brightness":
        return findings.image_stats.mean
    if query.order == "contrast":
        return findings.image_stats.std
    if query.order == "shuffled":
        return np.random.default_rng(query.seed).random(len(findings.labels))
    raise ValueError(f"order must be one of {', '.join(ORDERS)}, got {query.order!r}")
