"""What a model makes of every face of a data set: its scores, its features, and a flat map of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.audit.projection import Projection2D, project_features

_CHUNK_ROWS = 256


@dataclass(frozen=True, eq=False)
class ModelOutputs:
    """A model's view of n faces.

    Attributes:
        probs: float32 (n, k), scores, rows sum to 1.
        features: float32 (n, d), what the network sees before it scores.
        map: the faces on a plane, by their features.
    """

    probs: np.ndarray
    features: np.ndarray
    map: Projection2D

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` takes; half precision is enough for features that are only compared."""
        return {
            "probs": self.probs,
            "features": self.features.astype(np.float16),
            "xy": self.map.xy,
            "explained": np.array(self.map.explained),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ModelOutputs:
        """Return a view that was kept as arrays."""
        across, up = arrays["explained"].tolist()
        return cls(arrays["probs"], arrays["features"].astype(np.float32), Projection2D(arrays["xy"], (across, up)))


def compute_model_outputs(
    images: np.ndarray,
    model: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    progress: Callable[[int, int], None] | None = None,
) -> ModelOutputs:
    """Show every face to a model.

    Args:
        images: uint8 (n, 48, 48), n at least 1.
        model: turns faces into scores (m, k) and features (m, d), as `EmotionRecognizer.classify_and_embed`.
        progress: called with the number of faces done so far and in all.
    """
    scores, features = [], []
    for start in range(0, len(images), _CHUNK_ROWS):
        some = model(np.ascontiguousarray(images[start : start + _CHUNK_ROWS]))
        scores.append(some[0])
        features.append(some[1])
        if progress:
            progress(min(start + _CHUNK_ROWS, len(images)), len(images))
    all_features = np.concatenate(features)
    return ModelOutputs(np.concatenate(scores), all_features, project_features(all_features))
