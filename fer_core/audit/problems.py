"""The findings as a list of problems, each with a count, an explanation and the faces to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from fer_core.data.split_names import SPLITS, TEST_SPLITS
from fer_core.data.votes import has_votes
from fer_core.emotions import LABELS
from fer_core.formats import count_text

# The title of each problem by its key, in the order of the list.
TITLES: Mapping[str, str] = {
    "copies": "Exact copies",
    "conflicting-copies": "Copies with conflicting labels",
    "in-training": "Test images that are also in training",
    "near-copies": "Near copies",
    "blank": "Blank and nearly blank images",
    "mostly-black": "More than a quarter black",
    "not-a-face": "Not a face",
    "votes": "Labels that the votes contradict",
    "model": "Labels that a model contradicts",
}


@dataclass(frozen=True, eq=False)
class Problem:
    """One kind of fault.

    Attributes:
        key: a short name for addresses and widgets.
        count: how often it was found.
        explanation: sentences that say what it is and why it matters.
        rows: int64 (m,), the faces to show, the most telling first; those of one group lie together.
        group: int64 (m,), equal for faces that belong together, or None if each stands for itself.
        unit: what is counted, in the singular.
    """

    key: str
    count: int
    explanation: str
    rows: np.ndarray
    group: np.ndarray | None = None
    unit: str = "image"

    @property
    def title(self) -> str:
        """A few words."""
        return TITLES[self.key]

    @property
    def count_text(self) -> str:
        """The count with its unit: "1,213 images"."""
        return count_text(self.count, self.unit)


def problems(findings: Findings) -> tuple[Problem, ...]:
    """List the problems of a data set, also those it does not have.

    Near copies, votes and a model's doubts are listed only where they are known.
    """
    return tuple(find_problem(findings, key) for key in problem_keys(findings))


def problem_keys(findings: Findings) -> tuple[str, ...]:
    """Return the keys of the problems that can be told from what is known of a data set."""
    unknown = set()
    if findings.near_duplicates is None:
        unknown.add("near-copies")
    if findings.votes is None or not has_votes(findings.votes).any():
        unknown |= {"not-a-face", "votes"}
    if findings.label_issues is None:
        unknown.add("model")
    return tuple(key for key in TITLES if key not in unknown)


def find_problem(findings: Findings, key: str) -> Problem:
    """Return one problem, by a key out of `problem_keys`."""
    return _FINDERS[key](findings)


def excluded_shares(findings: Findings, rows: np.ndarray) -> dict[str, float]:
    """Return the share of each split, 0 to 1, that excluding `rows` would take away; splits without any are absent."""
    codes, counts = np.unique(findings.split[rows], return_counts=True)
    totals = np.bincount(findings.split, minlength=len(SPLITS))
    return {SPLITS[code]: float(count / totals[code]) for code, count in zip(codes, counts, strict=True)}


def labels_text(labels: np.ndarray, names: Sequence[str] = LABELS) -> str:
    """Say which labels the copies of one picture carry, so that a contradiction is seen at a glance.

    >>> labels_text(np.array([0, 5, 0])), labels_text(np.array([3, 3]))
    ('labels differ: 2 angry, 1 sad', 'all happy')
    """
    codes, counts = np.unique(labels, return_counts=True)
    if len(codes) == 1:
        return f"all {names[codes[0]]}"
    order = np.argsort(-counts, kind="stable")
    return f"labels differ: {', '.join(f'{counts[k]} {names[codes[k]]}' for k in order)}"


def _copies(findings: Findings) -> Problem:
    exact = findings.exact_duplicates
    largest = int(exact.sizes.max(initial=1))
    rows, group = _by_group(exact, np.argsort(-exact.sizes, kind="stable"))
    return Problem(
        "copies",
        len(exact.surplus),
        f"{count_text(len(exact.surplus), 'image')} in {count_text(len(exact), 'group')}, identical to an earlier one "
        f"to the last pixel; the largest group has {largest}. A copy counts double in training and in every score.",
        rows,
        group,
    )


def _conflicts(findings: Findings) -> Problem:
    numbers = findings.exact_duplicates.differing(findings.labels)
    rows, group = _by_group(findings.exact_duplicates, numbers)
    return Problem(
        "conflicting-copies",
        len(numbers),
        f"In {count_text(len(numbers), 'group')} the same image carries different labels. At least one of them is "
        "wrong, and no model can answer them all.",
        rows,
        group,
        unit="group",
    )


def _leaks(findings: Findings) -> Problem:
    """Test images whose picture is in Training too."""
    tests, private = findings.in_splits(*TEST_SPLITS), findings.in_splits("PrivateTest")
    exactly, found = findings.found_exactly(*TEST_SPLITS), findings.found_in_training(*TEST_SPLITS)
    parts = [
        _leaks_of(findings, split)
        for split in ("PublicTest", "PrivateTest", "Test", "Validation")
        if findings.in_splits(split).any()
    ]
    in_both = len(leaked_rows(private, findings.in_splits("Training", "PublicTest"), findings.exact_duplicates))
    also = f" {in_both:,} of PrivateTest are exactly in Training or PublicTest." if private.any() else ""
    meaning = (
        " A model has seen their answers, so its score on them says nothing about new faces." if tests.any() else ""
    )
    # The exact ones first: nothing is left to judge there.
    rows = np.concatenate([exactly, np.setdiff1d(found, exactly)])
    return Problem(
        "in-training",
        len(rows),
        f"Found in Training: {'; '.join(parts) or 'none, since there is no other split'}.{also}"
        f"{meaning if tests.any() else ''}",
        rows,
    )


def _leaks_of(findings: Findings, split: str) -> str:
    exactly = f"{len(findings.found_exactly(split)):,} of {split} exactly"
    if findings.near_duplicates is None:
        return exactly
    return f"{exactly} and {len(findings.found_in_training(split)):,} with near copies"


def _near_copies(findings: Findings) -> Problem:
    groups, exact = findings.duplicate_groups, findings.exact_duplicates
    numbers = groups.differing(exact.first_rows)
    numbers = numbers[np.argsort(-groups.sizes[numbers], kind="stable")]
    rows, group = _by_group(groups, numbers)
    return Problem(
        "near-copies",
        len(numbers),
        f"{count_text(len(numbers), 'group')} of images that are not identical but nearly so: one picture compressed, "
        "resized or stamped in another way, or frames of one film. In a group each is like every other (normalised "
        f"cross-correlation above {THRESHOLD:.2f}). Images of one single gray value cannot be compared in this way.",
        rows,
        group,
        unit="group",
    )


def _blank(findings: Findings) -> Problem:
    stats = findings.image_stats
    rows = np.flatnonzero(stats.nearly_blank)
    return Problem(
        "blank",
        len(rows),
        f"{count_text(len(rows), 'image')} with almost no contrast (standard deviation below {NEARLY_BLANK_STD:.0f} of "
        f"255), {stats.all_black.sum():,} of them all black. No expression can be seen, yet each has a label.",
        rows[np.argsort(stats.std[rows], kind="stable")],
    )


def _mostly_black(findings: Findings) -> Problem:
    black = findings.image_stats.black
    rows = np.flatnonzero(findings.image_stats.mostly_black)
    return Problem(
        "mostly-black",
        len(rows),
        f"In {count_text(len(rows), 'image')} more than 25 % of the pixels are black: framed, cut off or turned, and "
        "sometimes only a dark photograph.",
        rows[np.argsort(-black[rows], kind="stable")],
    )


def _no_face(findings: Findings) -> Problem:
    rows = np.flatnonzero(not_a_face(findings.votes))
    everyone = unanimously_not_a_face(findings.votes)[rows]
    return Problem(
        "not-a-face",
        len(rows),
        f"{_images_were(len(rows))} called not a face by more of the FER+ voters than gave any other answer, "
        f"{everyone.sum():,} of them by everyone. Nothing can be learned or measured from that."
        f"{_not_voted(findings.votes)}",
        rows[np.argsort(~everyone, kind="stable")],
    )


def _not_voted(votes: np.ndarray) -> str:
    count = int(np.sum(~has_votes(votes)))
    return f" {_images_were(count)} not voted on at all and left out here." if count else ""


def _votes(findings: Findings) -> Problem:
    votes, labels = findings.votes, findings.labels
    rows = np.flatnonzero(contradict_strongly(votes, labels))
    against = share_against(votes, labels)
    return Problem(
        "votes",
        len(rows),
        f"On {100 * agreement(votes, labels):.1f} % of the faces voted on, the label got more FER+ votes than any "
        f"other answer. On {len(rows):,} others at least {STRONG_VOTES} people agree on another expression and "
        "nobody saw the label.",
        rows[np.argsort(-against[rows], kind="stable")],
    )


def _model(findings: Findings) -> Problem:
    label_issues = findings.label_issues
    return Problem(
        "model",
        len(label_issues),
        f"On {count_text(len(label_issues), 'face')} that it was not trained on, the model is confident of another "
        "expression than the label (confident learning). Either the label or the model is wrong: look at the face.",
        label_issues.rows,
    )


def _images_were(number: int) -> str:
    return f"{count_text(number, 'image')} {'was' if number == 1 else 'were'}"


def _by_group(groups: Groups, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the groups `numbers`, in this order, and the group of each."""
    rank = np.full(len(groups) + 1, len(numbers))  # the last is for rows alone, whose group is -1
    rank[numbers] = np.arange(len(numbers))
    order = np.argsort(rank[groups.id], kind="stable")
    rows = order[: np.count_nonzero(rank[groups.id] < len(numbers))]
    return rows, groups.id[rows]


_FINDERS: Mapping[str, Callable[[Findings], Problem]] = {
    "copies": _copies,
    "conflicting-copies": _conflicts,
    "in-training": _leaks,
    "near-copies": _near_copies,
    "blank": _blank,
    "mostly-black": _mostly_black,
    "not-a-face": _no_face,
    "votes": _votes,
    "model": _model,
}
