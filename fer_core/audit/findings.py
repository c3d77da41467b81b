"""Everything that is found in a data set, gathered once; the pages ask it and draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fer_core.audit.image_stats import ImageStats, compute_image_stats
from fer_core.audit.issue_score import IssueScore
from fer_core.audit.label_issues import LabelIssues, find_label_issues
from fer_core.audit.near_duplicates import near_duplicates
from fer_core.audit.votes import confirmed, not_a_face, share_against
from fer_core.data.duplicate_groups import Groups, Pairs, leaked_rows
from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import SPLITS
from fer_core.emotions import LABELS

# All but Training.
OTHER_SPLITS = SPLITS[1:]

# How strongly a finding speaks against a face at most. A blank image or one that is not a face shows
# nothing to label. Ten voters who all see something else leave little doubt; one model leaves much.
_BLANK, _NOT_A_FACE, _VOTES, _MODEL = 1.0, 1.0, 0.9, 0.5
# Copies are one reason, the strongest of these. Of copies labelled differently one is wrong, but hardly the
# one that the votes confirm. A copy in training spoils a test image, not its label; others only count double.
_COPIES_DISAGREE, _CONFIRMED_COPY, _IN_TRAINING, _COPY = 0.7, 0.3, 0.3, 0.2


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found in n faces.

    Attributes:
        labels: int (n,), index into `class_names`.
        split: uint8 (n,), index into `SPLITS`.
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`, or None.
        image_stats: of the images.
        exact_duplicates: identical images.
        near_duplicates: pairs of nearly identical images, identical ones among them unless of one gray value;
            None as long as nobody looked for them.
        label_issues: labels a model contradicts, or None if no model was asked.
        class_names: of the data set.
    """

    labels: np.ndarray
    split: np.ndarray
    votes: np.ndarray | None
    image_stats: ImageStats
    exact_duplicates: Groups
    near_duplicates: Pairs | None = None
    label_issues: LabelIssues | None = None
    class_names: tuple[str, ...] = LABELS

    @cached_property
    def duplicate_groups(self) -> Groups:
        """Groups of images that are identical or, where near copies were looked for, nearly so."""
        if self.near_duplicates is None:
            return self.exact_duplicates
        return self.near_duplicates.groups(self.exact_duplicates)

    def copies_of(self, row: int) -> np.ndarray:
        """Return the rows whose image is identical to that of `row` or nearly so, int64 (m,) without `row` itself."""
        rows = self.exact_duplicates.with_row(row)
        if self.near_duplicates is not None:
            rows = np.union1d(rows, self.near_duplicates.partners(row))
        return rows[rows != row]

    def in_splits(self, *splits: str) -> np.ndarray:
        """Return the rows, bool (n,), that belong to any of `splits`."""
        return np.isin(self.split, [SPLITS.index(split) for split in splits])

    def found_in_training(self, *splits: str) -> np.ndarray:
        """Return the rows of `splits` whose picture is in Training too, int64 (m,) and ascending.

        Nearly identical pictures count where they were looked for; `found_exactly` counts identical ones.
        """
        return leaked_rows(
            self.in_splits(*splits), self.in_splits("Training"), self.exact_duplicates, self.near_duplicates
        )

    def found_exactly(self, *splits: str) -> np.ndarray:
        """Return the rows of `splits` whose very image is in Training too, int64 (m,) and ascending."""
        return leaked_rows(self.in_splits(*splits), self.in_splits("Training"), self.exact_duplicates)

    def judged_by(self, rows: np.ndarray, probs: np.ndarray, trained_on: np.ndarray) -> Findings:
        """Return the findings with the labels that a model contradicts.

        Faces whose exact or near copy the model was trained on are left out: it saw them too.

        Args:
            rows: int (m,), the faces that were scored, each once.
            probs: float (m, k), the model's scores in the order of the class names, rows sum to 1.
            trained_on: bool (n,), the faces the model was trained on.

        Raises:
            DataError: a scored face is one of those, or too little is left to judge.
        """
        copies = leaked_rows(~trained_on, trained_on, self.exact_duplicates, self.near_duplicates)
        unseen = ~np.isin(rows, copies)
        return replace(self, label_issues=find_label_issues(self.labels, rows[unseen], probs[unseen], trained_on))

    @cached_property
    def issue_score(self) -> IssueScore:
        """All of it as one score a face, with reasons."""
        n = len(self.labels)
        reasons = {
            "blank": np.where(self.image_stats.nearly_blank, _BLANK, 0),
            "mostly black": np.where(self.image_stats.mostly_black, self.image_stats.black, 0),
            **self._copy_reasons(),
        }
        if self.votes is not None:
            against, no_face = share_against(self.votes, self.labels), not_a_face(self.votes)
            reasons["not a face"] = np.where(no_face, _NOT_A_FACE * against, 0)
            reasons["votes disagree"] = np.where(no_face, 0, _VOTES * against)
        if self.label_issues is not None:
            reasons["model disagrees"] = _at(n, self.label_issues.rows, _MODEL * self.label_issues.margin)
        return IssueScore.of(reasons)

    def _copy_reasons(self) -> dict[str, np.ndarray]:
        """Return the reasons to do with copies, of which a face has one at most: float (n,) each."""
        groups = self.duplicate_groups
        disagree = np.isin(groups.id, groups.differing(self.labels))
        in_training = np.zeros(len(self.labels), bool)
        in_training[self.found_in_training(*OTHER_SPLITS)] = True
        sure = False if self.votes is None else confirmed(self.votes, self.labels)
        return {
            "copies disagree": np.where(disagree, np.where(sure, _CONFIRMED_COPY, _COPIES_DISAGREE), 0),
            "also in training": np.where(in_training & ~disagree, _IN_TRAINING, 0),
            "copy": np.where(groups.grouped & ~disagree & ~in_training, _COPY, 0),
        }


def examine(
    images: np.ndarray,
    labels: np.ndarray,
    split: np.ndarray,
    votes: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
) -> Findings:
    """Look for everything that can be found without a model.

    Args:
        images: uint8 (n, 48, 48).
        labels: int (n,), index into `LABELS`.
        split: uint8 (n,), index into `SPLITS`.
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`.
        progress: called with the share done so far, 0 to 1.
    """
    return Findings(
        labels,
        split,
        votes,
        image_stats=compute_image_stats(images),
        exact_duplicates=exact_duplicates(images),
        near_duplicates=near_duplicates(images, progress=progress),
    )


def _at(n: int, rows: np.ndarray, values: np.ndarray | float) -> np.ndarray:
    """Return float32 (n,) that is `values` at `rows` and 0 elsewhere."""
    strength = np.zeros(n, np.float32)
    strength[rows] = values
    return strength
