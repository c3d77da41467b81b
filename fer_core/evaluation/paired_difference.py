"""Two recipes, each trained with several seeds, on the same faces: by how much they differ, and how surely.

Faces and seeds are both samples: other faces and other seeds would give another difference. The interval allows for
both, as it is done in radiology where several readers judge the same cases with two methods: the analysis of variance
of Dorfman, Berbaum and Metz (1992), without negative components of variance, and the degrees of freedom of Hillis
(2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t


@dataclass(frozen=True)
class PairedDifference:
    """Shares of faces recognised before and after a change, means over the seeds.

    Attributes:
        faces: number of faces.
        before: accuracy of the first recipe, 0 to 1.
        after: accuracy of the second recipe, 0 to 1.
        difference: `after` less `before`, -1 to 1.
        low: lower end of the 95 % interval of the difference, at least -1.
        high: upper end of it, at most 1.
    """

    faces: int
    before: float
    after: float
    difference: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def paired_difference(before: np.ndarray, after: np.ndarray) -> PairedDifference:
    """Compare two recipes that were trained with the same seeds and answered for the same faces.

    With a single seed the interval allows for other faces only.

    Args:
        before: bool (seeds, faces), whether each network of the first recipe is right; at least one of each.
        after: bool (seeds, faces), the same of the second recipe.
    """
    change = after.astype(np.float64) - before
    difference, half = float(change.mean()), _half_width(change)
    low, high = max(difference - half, -1.0), min(difference + half, 1.0)
    return PairedDifference(change.shape[1], float(before.mean()), float(after.mean()), difference, low, high)


def _half_width(change: np.ndarray) -> float:
    """Return half the width of the 95 % interval of the mean of `change`, float (seeds, faces); 2 for one face."""
    seeds, faces = change.shape
    if faces < 2:
        return 2.0
    mean = change.mean()
    by_seed, by_face = change.mean(axis=1), change.mean(axis=0)
    between_faces = seeds * np.sum((by_face - mean) ** 2) / (faces - 1)
    if seeds == 1:
        return float(student_t.ppf(0.975, faces - 1) * np.sqrt(between_faces / faces))
    between_seeds = faces * np.sum((by_seed - mean) ** 2) / (seeds - 1)
    residual = np.sum((change - by_seed[:, None] - by_face + mean) ** 2) / ((seeds - 1) * (faces - 1))
    # Few seeds may agree by chance: they cannot vary less than the noise within them.
    between_seeds = max(between_seeds, residual)
    total = between_seeds + max(between_faces - residual, 0.0)
    if total == 0:
        return 0.0
    freedom = np.inf if between_seeds == 0 else (seeds - 1) * (total / between_seeds) ** 2
    return float(student_t.ppf(0.975, freedom) * np.sqrt(total / (seeds * faces)))
