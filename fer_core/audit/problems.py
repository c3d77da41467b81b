"""The findings as a list of problems, each with a count, an explanation and the faces to show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.audit.findings import Findings
from fer_core.audit.image_stats import NEARLY_BLANK_STD
from fer_core.audit.near_duplicates import THRESHOLD
from fer_core.audit.votes import (
    STRONG_VOTES,
    agreement,
    contradict_strongly,
    not_a_face,
    share_against,
    unanimously_not_a_face,
)
from fer_core.data.duplicate_groups import Groups, leaked_rows
from fer_core.data.face_set import SPLITS


@dataclass(frozen=True, eq=False)
class Problem:
    """One kind of fault.

    Attributes:
        key: a short name for addresses and widgets.
        title: a few words.
        count: how often it was found.
        explanation: sentences that say what it is and why it matters.
        rows: int64 (m,), the faces to show, the most telling first; those of one group lie together.
        group: int64 (m,), equal for faces that belong together, or None if each stands for itself.
    """

    key: str
    title: str
    count: int
    explanation: str
    rows: np.ndarray
    group: np.ndarray | None = None


def problems(findings: Findings) -> tuple[Problem, ...]:
    """List the problems of a data set, those of counts 0 among them; those that need votes or a model if there are."""
    listed = [
        _copies(findings),
        _conflicts(findings),
        _leaks(findings),
        _near_copies(findings),
        _blank(findings),
        _mostly_black(findings),
    ]
    if findings.votes is not None:
        listed += [_no_face(findings), _votes(findings)]
    if findings.label_issues is not None:
        listed.append(_model(findings))
    return tuple(listed)


def _copies(findings: Findings) -> Problem:
    exact = findings.exact_duplicates
    largest = int(exact.sizes.max(initial=1))
    rows, group = _by_group(exact, np.argsort(-exact.sizes, kind="stable"))
    return Problem(
        "copies",
        "Exact copies",
        len(exact.surplus),
        f"{len(exact.surplus):,} images repeat an earlier one to the last pixel, in {len(exact):,} groups; "
        f"the largest group has {largest}. A copy counts double in training and in every score.",
        rows,
        group,
    )


def _conflicts(findings: Findings) -> Problem:
    numbers = findings.exact_duplicates.differing(findings.labels)
    rows, group = _by_group(findings.exact_duplicates, numbers)
    return Problem(
        "conflicting-copies",
        "Copies with conflicting labels",
        len(numbers),
        f"In {len(numbers):,} groups the same image carries different labels. At least one of them is "
        "wrong, and no model can answer them all.",
        rows,
        group,
    )


def _leaks(findings: Findings) -> Problem:
    """Test images whose picture is in the training images, each with what it was found by."""
    exactly, nearly = (findings.found_in_training(nearly) for nearly in (False, True))
    parts = [
        f"{np.isin(exactly, rows).sum():,} of {split} exactly and {np.isin(nearly, rows).sum():,} with near copies"
        for split in SPLITS
        if split != "Training" and len(rows := np.flatnonzero(findings.in_splits(split)))
    ]
    private, others = findings.in_splits("PrivateTest"), findings.in_splits("Training", "PublicTest")
    in_both = len(leaked_rows(private, others, findings.exact_duplicates))
    also = f" {in_both:,} of PrivateTest are exactly in Training or PublicTest." if private.any() else ""
    # The exact ones first: nothing is left to judge there.
    rows = np.concatenate([exactly, np.setdiff1d(nearly, exactly)])
    return Problem(
        "in-training",
        "Test images that are also in training",
        len(rows),
        f"Found in Training: {'; '.join(parts) or 'none, since there is no other split'}.{also} A model has "
        "seen these answers, so its score on them says nothing about new faces.",
        rows,
    )


def _near_copies(findings: Findings) -> Problem:
    alike, exact = findings.duplicate_groups, findings.exact_duplicates
    first, second = findings.near_duplicates.first, findings.near_duplicates.second
    differing = (exact.id[first] < 0) | (exact.id[first] != exact.id[second])
    numbers = np.unique(alike.id[first[differing]])
    numbers = numbers[np.argsort(-alike.sizes[numbers], kind="stable")]
    rows, group = _by_group(alike, numbers)
    return Problem(
        "near-copies",
        "Near copies",
        len(numbers),
        f"{len(numbers):,} groups hold images that are not identical but nearly so: one picture compressed, "
        f"resized or stamped in another way (normalised cross-correlation above {THRESHOLD:.2f}). Images of "
        "one single gray value cannot be compared in this way.",
        rows,
        group,
    )


def _blank(findings: Findings) -> Problem:
    light = findings.image_stats
    rows = np.flatnonzero(light.nearly_blank)
    return Problem(
        "blank",
        "Blank and nearly blank images",
        len(rows),
        f"{len(rows):,} images have almost no contrast (standard deviation below {NEARLY_BLANK_STD:.0f} of "
        f"255), {light.all_black.sum():,} of them are all black. No expression can be seen in them, yet "
        "each has a label.",
        rows[np.argsort(light.std[rows], kind="stable")],
    )


def _mostly_black(findings: Findings) -> Problem:
    black = findings.image_stats.black
    rows = np.flatnonzero(findings.image_stats.mostly_black)
    return Problem(
        "mostly-black",
        "More than a quarter black",
        len(rows),
        f"In {len(rows):,} images more than 25 % of the pixels are black: framed, cut off or turned, and "
        "sometimes only a dark photograph.",
        rows[np.argsort(-black[rows], kind="stable")],
    )


def _no_face(findings: Findings) -> Problem:
    rows = np.flatnonzero(not_a_face(findings.votes))
    everyone = unanimously_not_a_face(findings.votes)[rows]
    return Problem(
        "not-a-face",
        "Not a face",
        len(rows),
        f"{len(rows):,} images were called not a face by more of the people who voted for FER+ than gave "
        f"any other answer, {everyone.sum():,} of them by everyone. They teach and measure nothing.",
        rows[np.argsort(~everyone, kind="stable")],
    )


def _votes(findings: Findings) -> Problem:
    votes, labels = findings.votes, findings.labels
    rows = np.flatnonzero(contradict_strongly(votes, labels))
    against = share_against(votes, labels)
    return Problem(
        "votes",
        "Labels that the votes contradict",
        len(rows),
        f"The label leads the FER+ votes on {100 * agreement(votes, labels):.1f} % of the faces. On "
        f"{len(rows):,} of the others at least {STRONG_VOTES} people agree on another expression and nobody "
        "saw the label.",
        rows[np.argsort(-against[rows], kind="stable")],
    )


def _model(findings: Findings) -> Problem:
    label_issues = findings.label_issues
    return Problem(
        "model",
        "Labels that a model contradicts",
        len(label_issues),
        f"On {len(label_issues):,} faces that it never saw in training the model is confident of another "
        "expression than the label's (confident learning). Either the label or the model is wrong: look.",
        label_issues.rows,
    )


def _by_group(groups: Groups, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the groups `numbers`, in this order, and the group of each."""
    rank = np.full(len(groups) + 1, len(numbers))  # the last is for rows alone, whose group is -1
    rank[numbers] = np.arange(len(numbers))
    order = np.argsort(rank[groups.id], kind="stable")
    rows = order[: np.count_nonzero(rank[groups.id] < len(numbers))]
    return rows, groups.id[rows]
