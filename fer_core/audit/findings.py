"""Everything that is found in a data set, gathered once; the pages ask it and draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fer_core.audit.contradictions import Contradictions, contradicted_labels
from fer_core.audit.exact import exact_duplicates
from fer_core.audit.groups import Groups, Pairs, found_again
from fer_core.audit.light import Light, measure_light
from fer_core.audit.near import near_duplicates
from fer_core.audit.suspicion import Suspicion
from fer_core.audit.votes import not_a_face, share_against
from fer_core.data.face_set import SPLITS

# How strongly a finding speaks against a face at most. A blank image or one that is not a face shows
# nothing to label. Ten voters who all see something else leave little doubt; one model leaves much.
# Of copies labelled differently one is wrong. A copy in training spoils a test image but not its
# label, and any other copy only counts double: both together do not make a face suspicious.
_BLANK, _NOT_A_FACE, _VOTES, _COPIES_DISAGREE, _MODEL, _IN_TRAINING, _COPY = 1.0, 1.0, 0.9, 0.7, 0.5, 0.3, 0.2


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found in n faces.

    Attributes:
        labels: int (n,), index into `LABELS`.
        split: uint8 (n,), index into `SPLITS`.
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`, or None.
        light: of the images.
        exact: identical images.
        near: pairs of nearly identical images; identical ones among them unless of one gray value.
        contradicted: labels a model contradicts, or None if no model was asked.
    """

    labels: np.ndarray
    split: np.ndarray
    votes: np.ndarray | None
    light: Light
    exact: Groups
    near: Pairs
    contradicted: Contradictions | None = None

    @cached_property
    def alike(self) -> Groups:
        """Groups of images that are identical or nearly so."""
        return self.near.groups(self.exact)

    def in_splits(self, *splits: str) -> np.ndarray:
        """Return the rows, bool (n,), that belong to any of `splits`."""
        return np.isin(self.split, [SPLITS.index(split) for split in splits])

    def found_in_training(self, nearly: bool) -> np.ndarray:
        """Return the rows outside Training whose picture is in Training too, int64 (m,) and ascending.

        Args:
            nearly: count nearly identical pictures too.
        """
        training = self.in_splits("Training")
        return found_again(~training, training, self.exact, self.near if nearly else None)

    def judged_by(self, rows: np.ndarray, probs: np.ndarray, trained_on: np.ndarray) -> Findings:
        """Return the findings with the labels that a model contradicts.

        Faces whose exact or near copy the model was trained on are left out: it saw them too.

        Args:
            rows: int (m,), the faces that were scored, each once.
            probs: float (m, k), the model's scores, rows sum to 1.
            trained_on: bool (n,), the faces the model was trained on.

        Raises:
            DataError: a scored face is one of those, or too little is left to judge.
        """
        copies = found_again(~trained_on, trained_on, self.exact, self.near)
        unseen = ~np.isin(rows, copies)
        return replace(self, contradicted=contradicted_labels(self.labels, rows[unseen], probs[unseen], trained_on))

    @cached_property
    def suspicion(self) -> Suspicion:
        """All of it as one number a face, with reasons."""
        n = len(self.labels)
        conflicting = np.isin(self.alike.id, self.alike.differing(self.labels))
        reasons = {
            "blank": np.where(self.light.nearly_blank, _BLANK, 0),
            "mostly black": np.where(self.light.mostly_black, self.light.black, 0),
            "copies disagree": np.where(conflicting, _COPIES_DISAGREE, 0),
            "also in training": _at(n, self.found_in_training(nearly=True), _IN_TRAINING),
            "copy": np.where(self.alike.grouped, _COPY, 0),
        }
        if self.votes is not None:
            against, no_face = share_against(self.votes, self.labels), not_a_face(self.votes)
            reasons["not a face"] = np.where(no_face, _NOT_A_FACE * against, 0)
            reasons["votes disagree"] = np.where(no_face, 0, _VOTES * against)
        if self.contradicted is not None:
            reasons["model disagrees"] = _at(n, self.contradicted.rows, _MODEL * self.contradicted.margin)
        return Suspicion.of(reasons)


def examine(images: np.ndarray, labels: np.ndarray, split: np.ndarray, votes: np.ndarray | None = None,
            progress: Callable[[float], None] | None = None) -> Findings:
    """Look for everything that can be found without a model.

    Args:
        images: uint8 (n, 48, 48).
        labels: int (n,), index into `LABELS`.
        split: uint8 (n,), index into `SPLITS`.
        votes: uint8 (n, 10), in the order of `VOTE_COLUMNS`.
        progress: called with the share done so far, 0 to 1.
    """
    return Findings(labels, split, votes, light=measure_light(images), exact=exact_duplicates(images),
                    near=near_duplicates(images, progress=progress))


def _at(n: int, rows: np.ndarray, values: np.ndarray | float) -> np.ndarray:
    """Return float32 (n,) that is `values` at `rows` and 0 elsewhere."""
    strength = np.zeros(n, np.float32)
    strength[rows] = values
    return strength
