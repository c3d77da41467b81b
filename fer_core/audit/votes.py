"""What ten more people saw in each face, against its label: the FER+ votes as a witness."""

from __future__ import annotations

import numpy as np

from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.data.votes import NF_COLUMN, has_votes, label_votes, majority_column, unique_majority

STRONG_VOTES = 8

# Columns that name an expression: contempt is one, though FER-2013 has no such label.
_EXPRESSIONS = [column for column, name in enumerate(VOTE_COLUMNS) if name not in ("unknown", "NF")]


def votes_for_label(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how many of the votes, uint8 (n, 10), are for the face's own label, int (n,): uint8 (n,)."""
    return label_votes(votes)[np.arange(len(votes)), labels]


def confirmed(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the faces, bool (n,), whose label got more votes than any other answer."""
    return unique_majority(votes) == labels


def agreement(votes: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of the faces voted on, 0 to 1, whose label got more votes than any other answer; nan if none."""
    voted = has_votes(votes)
    return float(confirmed(votes, labels)[voted].mean()) if voted.any() else float("nan")


def contradict_strongly(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the faces, bool (n,), where eight people or more agree on another expression and none saw the label.

    Not a face and unknown are no expressions and contradict no label in this sense. FER-2013 has
    2,197 such faces.
    """
    return (votes_for_label(votes, labels) == 0) & (votes[:, _EXPRESSIONS].max(axis=1) >= STRONG_VOTES)


def not_a_face(votes: np.ndarray) -> np.ndarray:
    """Return the images, bool (n,), that more people called not a face than anything else."""
    return majority_column(votes) == NF_COLUMN


def unanimously_not_a_face(votes: np.ndarray) -> np.ndarray:
    """Return the images, bool (n,), that everyone who voted called not a face."""
    return has_votes(votes) & (votes[:, NF_COLUMN] == votes.sum(axis=1))


def share_against(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return by how much the strongest answer leads over the label.

    Returns:
        float32 (n,): votes for the strongest answer less those for the label, as a share of all
        votes; 0 where no answer got more votes than the label or nobody voted, 1 where all agree on
        something else.
    """
    lead = votes.max(axis=1).astype(np.float32) - votes_for_label(votes, labels)
    return (lead / np.maximum(votes.sum(axis=1), 1)).astype(np.float32)
