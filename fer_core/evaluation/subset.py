"""Measure on a saved subset: of each split that was scored, only the faces of the subset."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.errors import DataError
from fer_core.evaluation.scoring import Scores


@dataclass(frozen=True, eq=False)
class EvaluatedSubset:
    """The faces that figures are about.

    Attributes:
        name: of the subset.
        rows: int64 (m,), ascending, of the whole data set.
    """

    name: str
    rows: np.ndarray

    def restrict(self, faces: FaceSet, scores: Mapping[str, Scores]) -> tuple[FaceSet, dict[str, Scores]]:
        """Return the faces and scores without those of the scored splits that are not in the subset.

        Args:
            faces: the whole data set.
            scores: by split, of all its faces.

        Returns:
            The faces, see `restrict_faces`; and the scores of those splits that have a face of the subset.

        Raises:
            DataError: no scored split has a face of the subset, or Training was scored.
        """
        chosen = np.isin(np.arange(len(faces)), self.rows)
        restricted = {
            split: _scores_at(some, chosen[rows])
            for split, some in scores.items()
            if chosen[rows := faces.rows_of(split)].any()
        }
        if not restricted:
            raise DataError(
                f"The subset {self.name} has no faces in {' or '.join(scores)}. Choose another subset or split."
            )
        return self.restrict_faces(faces, scores), restricted

    def restrict_faces(self, faces: FaceSet, splits: Collection[str]) -> FaceSet:
        """Return the faces without those of `splits` that are not in the subset.

        Other splits keep all faces, so that copies in Training are still known.

        Raises:
            DataError: Training is one of `splits`.
        """
        if "Training" in splits:
            raise DataError("A subset is measured on splits other than Training. Leave out Training, or the subset.")
        keep = ~np.isin(np.arange(len(faces)), faces.rows_of(*splits))
        keep[self.rows] = True
        return _faces_at(faces, np.flatnonzero(keep))


def _faces_at(faces: FaceSet, rows: np.ndarray) -> FaceSet:
    return dataclasses.replace(
        faces,
        images=faces.images[rows],
        labels=faces.labels[rows],
        split=faces.split[rows],
        votes=None if faces.votes is None else faces.votes[rows],
    )


def _scores_at(scores: Scores, chosen: np.ndarray) -> Scores:
    """Return the scores of some faces of a split, bool (n,)."""
    return Scores(
        probs=scores.probs[chosen],
        mirrored=scores.mirrored[chosen],
        ms_per_face=scores.ms_per_face,
        others={name: _scores_at(others, chosen) for name, others in scores.others.items()},
    )
