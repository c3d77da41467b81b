"""Score the faces of a split with a model, as they are and mirrored, and keep the scores.

Scores are kept under the hashes of model and data, so that nothing is computed twice and nothing
stale is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fer_core.cache import cache_folder, find_cached, save_cached
from fer_core.data.face_set import FaceSet
from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.evaluation.robustness import CORRUPTIONS, measure_robustness
from fer_core.models.bundle import Bundle, scores_key
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.timing import ms_per_face

ONE_VIEW = "one view, no test-time augmentation"
WITH_FLIP = "mean of the face and its mirror image"
_CHUNK_FACES = 256
_TIMED_CALLS = 200

# Called with the faces scored so far and in all.
Progress = Callable[[int, int], None]


class FaceClassifier(Protocol):
    """Anything that scores cropped faces."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def classify(self, faces: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model says about the faces of one split, in their order there and before any temperature.

    Attributes:
        probs: float32 (n, 7), in the order of `LABELS`; rows sum to 1.
        mirrored: float32 (n, 7), the same of the mirrored faces.
        ms_per_face: how long one call with one face takes on this machine, median, milliseconds.
    """

    probs: np.ndarray
    mirrored: np.ndarray
    ms_per_face: float

    @property
    def with_flip(self) -> np.ndarray:
        """float32 (n, 7), the mean of both views."""
        return (self.probs + self.mirrored) / 2


def classifier_of(bundle: Bundle) -> LiteRTClassifier:
    """Return the network of a model with its scores as trained, before the card's temperature."""
    return LiteRTClassifier.from_bundle(bundle, calibrated=False)


def score(classifier: FaceClassifier, images: np.ndarray, progress: Callable[[int], None] | None = None) -> np.ndarray:
    """Return float32 (n, 7) scores, in the order of `LABELS`, of images uint8 (n, 48, 48).

    Args:
        classifier: gives scores in the order of its own labels.
        images: the faces.
        progress: called with the number of faces scored since the last call.

    Raises:
        ModelError: the model has other labels than the seven.
    """
    if set(classifier.labels) != set(LABELS):
        raise ModelError(
            f"Expected a model with the labels {', '.join(LABELS)}; it has {', '.join(classifier.labels)}."
        )
    order = [classifier.labels.index(label) for label in LABELS]
    parts = []
    for start in range(0, len(images), _CHUNK_FACES):
        some = np.ascontiguousarray(images[start : start + _CHUNK_FACES])
        parts.append(classifier.classify(some)[:, order])
        if progress:
            progress(len(some))
    return np.concatenate(parts)


def find_scores(bundle: Bundle, data_hash: str, split: str) -> Scores | None:
    """Return the scores that were kept of a model on a split, or None if there are none."""
    arrays = find_cached(cache_folder(data_hash), _name("scores", bundle, split))
    return None if arrays is None else Scores(arrays["probs"], arrays["mirrored"], float(arrays["ms_per_face"]))


def find_robustness(bundle: Bundle, data_hash: str, split: str) -> dict[str, list[dict[str, Any]]] | None:
    """Return what was kept of a model's robustness on a split: the accuracy at each level of each corruption."""
    arrays = find_cached(cache_folder(data_hash), _name("robustness", bundle, split))
    return None if arrays is None else _levels(arrays)


def score_split(bundle: Bundle, faces: FaceSet, split: str, progress: Progress | None = None) -> Scores:
    """Return the scores of a model on a split, computed and kept if they were not before.

    Raises:
        DataError: the data set has no such split.
        ModelError: the model has other labels than the seven.
    """
    if kept := find_scores(bundle, faces.hash, split):
        return kept
    images = faces.images[faces.rows_of(split)]
    classifier, count = classifier_of(bundle), _Count(2 * len(images), progress)
    scores = Scores(
        score(classifier, images, count),
        score(classifier, images[:, :, ::-1], count),
        ms_per_face(classifier.classify, images, _TIMED_CALLS),
    )
    save_cached(
        cache_folder(faces.hash),
        _name("scores", bundle, split),
        {"probs": scores.probs, "mirrored": scores.mirrored, "ms_per_face": np.array(scores.ms_per_face)},
    )
    return scores


def score_robustness(
    bundle: Bundle, faces: FaceSet, split: str, progress: Progress | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Return the accuracy of a model on a split at each level of each corruption, kept as scores are."""
    if (kept := find_robustness(bundle, faces.hash, split)) is not None:
        return kept
    rows = faces.rows_of(split)
    images, labels, classifier = np.array(faces.images[rows]), faces.labels[rows], classifier_of(bundle)
    passes = sum(level != 0 for each in CORRUPTIONS.values() for level in each.levels)
    count = _Count(passes * len(rows), progress)
    clean = score_split(bundle, faces, split).probs
    arrays = {
        name: np.array([level["accuracy"] for level in levels])
        for name, levels in measure_robustness(lambda some: score(classifier, some, count), images, labels, clean)
    }
    save_cached(cache_folder(faces.hash), _name("robustness", bundle, split), arrays)
    return _levels(arrays)


def _levels(arrays: Mapping[str, np.ndarray]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {"level": level, "accuracy": float(accuracy)}
            for level, accuracy in zip(CORRUPTIONS[name].levels, arrays[name], strict=True)
        ]
        for name in CORRUPTIONS
    }


def _name(kind: str, bundle: Bundle, split: str) -> str:
    return f"{kind}-{scores_key(bundle.card)}-{split}"


class _Count:
    """Adds up the faces of several passes for one progress bar."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def __call__(self, more: int) -> None:
        self._done += more
        if self._progress:
            self._progress(self._done, self._total)
