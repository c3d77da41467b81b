"""Where faces lie by the features of a network: a flat map of all, and the nearest to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA


@dataclass(frozen=True, eq=False)
class Projection2D:
    """A flat map of n faces.

    Attributes:
        xy: float32 (n, 2), positions, centred on 0; x is the direction in which faces differ most.
        explained: share of all variation, 0 to 1, that each of the two directions shows.
    """

    xy: np.ndarray
    explained: tuple[float, float]


def project_features(features: np.ndarray) -> Projection2D:
    """Lay faces out on a plane by the two principal components of their features.

    Nothing in it is random: the same features give the same map.

    Args:
        features: float (n, d), d at least 2, finite.
    """
    if len(features) < 2:
        return Projection2D(np.zeros((len(features), 2), np.float32), (0.0, 0.0))
    pca = PCA(n_components=2, svd_solver="covariance_eigh").fit(features)
    across, up = pca.explained_variance_ratio_
    return Projection2D(pca.transform(features).astype(np.float32), (float(across), float(up)))


def nearest(features: np.ndarray, row: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the faces most like one, by the cosine between their features.

    Args:
        features: float (n, d).
        row: the face in question.
        count: how many to return; fewer if there are fewer.

    Returns:
        int64 (count,), rows without `row` itself, nearest first and equals in row order; and their
        cosines, float32 (count,), 1 for the same direction. Features that are all 0 have cosine 0.
    """
    lengths = np.linalg.norm(features, axis=1)
    cosine = features @ features[row] / np.maximum(lengths * lengths[row], np.finfo(np.float32).tiny)
    order = np.argsort(-cosine, kind="stable")
    rows = order[order != row][:count]
    return rows, cosine[rows].astype(np.float32)
