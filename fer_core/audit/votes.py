"""What ten more people saw in each face, against its label: the FER+ votes as a witness."""

from __future__ import annotations

import numpy as np

from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.data.votes import unique_majority
from fer_core.emotions import LABELS, canonical

NOT_A_FACE = VOTE_COLUMNS.index("NF")
UNKNOWN = VOTE_COLUMNS.index("unknown")
CONTEMPT = VOTE_COLUMNS.index("contempt")
STRONG_VOTES = 8

# Column of the votes for each of LABELS.
_LABEL_COLUMN = np.array([[canonical(column) for column in VOTE_COLUMNS].index(label) for label in LABELS])
# Columns that name an expression: contempt is one, though FER-2013 has no such label.
_EXPRESSIONS = [column for column in range(len(VOTE_COLUMNS)) if column not in (UNKNOWN, NOT_A_FACE)]


def leading_column(votes: np.ndarray) -> np.ndarray:
    """Return the column of `VOTE_COLUMNS` with most votes, the first of equals; -1 where nobody voted.

    Args:
        votes: uint8 (n, 10).

    Returns:
        int64 (n,).
    """
    return np.where(votes.any(axis=1), votes.argmax(axis=1), -1)


def votes_for_label(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how many of the votes, uint8 (n, 10), are for the face's own label, int (n,): uint8 (n,)."""
    return votes[np.arange(len(votes)), _LABEL_COLUMN[labels]]


def agreement(votes: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of faces, 0 to 1, whose label leads the votes; nan without any face."""
    return float(np.mean(unique_majority(votes) == labels)) if len(labels) else float("nan")


def disagree(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the faces, bool (n,), that were voted on and whose label does not lead the votes."""
    return votes.any(axis=1) & (leading_column(votes) != _LABEL_COLUMN[labels])


def contradict_strongly(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the faces, bool (n,), where eight people or more agree on another expression and none saw the label.

    Not a face and unknown are no expressions and contradict no label in this sense. FER-2013 has
    2,197 such faces, 6.2 % of those that are faces by unique majority.
    """
    return (votes_for_label(votes, labels) == 0) & (votes[:, _EXPRESSIONS].max(axis=1) >= STRONG_VOTES)


def not_a_face(votes: np.ndarray) -> np.ndarray:
    """Return the images, bool (n,), that more people called not a face than anything else."""
    return leading_column(votes) == NOT_A_FACE


def unanimously_not_a_face(votes: np.ndarray) -> np.ndarray:
    """Return the images, bool (n,), that everyone who voted called not a face."""
    return votes.any(axis=1) & (votes[:, NOT_A_FACE] == votes.sum(axis=1))


def share_against(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return by how much another answer leads over the label.

    Returns:
        float32 (n,): votes for the strongest answer less those for the label, as a share of all
        votes; 0 where the label leads or nobody voted, 1 where all agree on something else.
    """
    lead = votes.max(axis=1).astype(np.float32) - votes_for_label(votes, labels)
    share = lead / np.maximum(votes.sum(axis=1), 1)
    return np.where(disagree(votes, labels), share, 0).astype(np.float32)
