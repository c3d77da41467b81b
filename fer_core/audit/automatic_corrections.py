"""Corrections that the findings alone justify: blank images, leaked copies, labels that copies or votes contradict.

They are ordinary corrections. Whatever a person has decided about a row stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from fer_core.audit.corrections import EXCLUDE, RELABEL, Correction, Corrections
from fer_core.audit.findings import OTHER_SPLITS, Findings
from fer_core.audit.votes import votes_for_label
from fer_core.data.face_set import SPLITS
from fer_core.data.votes import unique_majority

# A label that at most so many of ten people chose is contradicted if most of them chose another.
MAX_VOTES_FOR_LABEL = 1

BLANK = "blank image"
LEAKED = "copy of an image outside Training"
CONFLICTING = "copies with different labels"
CONTRADICTED = "votes contradict the label"


@dataclass(frozen=True)
class _Step:
    """What is to be done with a row: exclude it if `label` is None, else relabel it."""

    row: int
    reason: str
    label: int | None = None


def automatic_corrections(findings: Findings, data: str, when: datetime) -> Corrections:
    """Propose corrections for the faults that need nobody's judgement, each row once and with its reason.

    In this order: blank images are excluded; training images of which an exact copy lies in another split are
    excluded; exact copies with different labels get the one that voters or most of the copies favour, or are excluded
    if neither favours one; and a face whose label at most one of ten people chose gets their unique majority.

    Args:
        findings: those of the data set; near copies and a model's opinion are not used.
        data: hash of the data set.
        when: time of the corrections.
    """
    n = len(findings.labels)
    time = when.astimezone(UTC).isoformat(timespec="seconds")
    decided = np.zeros(n, bool)
    log: list[Correction] = []
    for rule in (_blank, _leaked, _conflicting, _contradicted):
        steps = [step for step in rule(findings, decided) if not decided[step.row]]
        decided[[step.row for step in steps]] = True
        log += [_correction(step, time, findings.class_names) for step in steps]
    return Corrections(data, n, tuple(sorted(log, key=lambda correction: correction.row)), findings.class_names)


def add_proposal(corrections: Corrections, proposal: Corrections, when: datetime) -> Corrections:
    """Return the corrections with those of the proposal as one further step, for rows that were never marked.

    Rows that somebody marked, or took a mark back from, keep what was decided about them.
    """
    decided = {correction.row for correction in corrections.log}
    log = tuple(correction for correction in proposal.log if correction.row not in decided)
    return corrections.merge(replace(proposal, log=log), when) if log else corrections


def count_by_reason(corrections: Corrections) -> dict[tuple[str, str], int]:
    """Return how many rows are marked now, by action and reason without its details, the most frequent first."""
    pairs = ((correction.action, kind_of(correction.reason)) for correction in corrections.current.values())
    return dict(Counter(pairs).most_common())


def kind_of(reason: str) -> str:
    """Return a reason without the details in brackets at its end.

    >>> kind_of("votes contradict the label (0 angry, 7 sad)")
    'votes contradict the label'
    """
    return reason.partition(" (")[0]


def _correction(step: _Step, time: str, class_names: tuple[str, ...]) -> Correction:
    if step.label is None:
        return Correction(1, step.row, EXCLUDE, "", step.reason, time)
    return Correction(1, step.row, RELABEL, class_names[step.label], step.reason, time)


def _blank(findings: Findings, decided: np.ndarray) -> Iterator[_Step]:
    return (_Step(int(row), BLANK) for row in np.flatnonzero(findings.image_stats.nearly_blank))


def _leaked(findings: Findings, decided: np.ndarray) -> Iterator[_Step]:
    """Yield the training images that are in another split too; images of which all are blank are none of these."""
    groups, training = findings.exact_duplicates, findings.in_splits("Training")
    others = findings.in_splits(*OTHER_SPLITS)
    for row in groups.shared(training & ~decided, others):
        copies = groups.with_row(row)
        splits = np.unique(findings.split[copies[others[copies]]])
        yield _Step(int(row), f"{LEAKED} (in {' and '.join(SPLITS[split] for split in splits)})")


def _conflicting(findings: Findings, decided: np.ndarray) -> Iterator[_Step]:
    """Yield what is to be done with copies that carry different labels, among those still in the data set."""
    groups, labels = findings.exact_duplicates, findings.labels
    for number in groups.differing(labels):
        rows = groups.rows(number)
        rows = rows[~decided[rows]]
        if len(np.unique(labels[rows])) < 2:
            continue
        label, favoured_by = _favoured_label(findings, rows)
        names = _names(labels[rows], findings.class_names)
        for row in rows:
            if label is None:
                yield _Step(int(row), f"{CONFLICTING} ({names})")
            elif labels[row] != label:
                yield _Step(int(row), f"{CONFLICTING} ({names}; {favoured_by})", label)


def _favoured_label(findings: Findings, rows: np.ndarray) -> tuple[int | None, str]:
    """Return the label that most votes on the copies `rows` or, failing that, most copies have, and who favours it."""
    if findings.votes is not None:
        votes = np.minimum(findings.votes[rows].sum(axis=0, dtype=np.int64), 255).astype(np.uint8)
        if (majority := int(unique_majority(votes[None])[0])) >= 0:
            return majority, "most voters"
    count = np.bincount(findings.labels[rows], minlength=len(findings.class_names))
    if np.sum(count == count.max()) == 1:
        return int(count.argmax()), "most copies"
    return None, ""


def _contradicted(findings: Findings, decided: np.ndarray) -> Iterator[_Step]:
    if findings.votes is None:
        return
    majority, own = unique_majority(findings.votes), votes_for_label(findings.votes, findings.labels)
    rows = np.flatnonzero((majority >= 0) & (majority != findings.labels) & (own <= MAX_VOTES_FOR_LABEL))
    most = votes_for_label(findings.votes[rows], majority[rows])
    for row, count in zip(rows, most, strict=True):
        name, other = findings.class_names[findings.labels[row]], findings.class_names[majority[row]]
        yield _Step(int(row), f"{CONTRADICTED} ({own[row]} {name}, {count} {other})", int(majority[row]))


def _names(labels: np.ndarray, class_names: tuple[str, ...]) -> str:
    return ", ".join(class_names[label] for label in np.unique(labels))
