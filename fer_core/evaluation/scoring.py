"""Score the faces of a split with a model, as they are and mirrored, and keep the scores.

Scores are kept under the hashes of model and data, so that nothing is computed twice and nothing
stale is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fer_core.cache import cache_folder, find_cached, save_cached
from fer_core.data.face_set import FaceSet
from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.evaluation.results import RobustnessLevel, RobustnessResult
from fer_core.evaluation.robustness import CORRUPTIONS, measure_robustness
from fer_core.models.bundle import Bundle, scores_key
from fer_core.models.card import ModelCard
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


class LabelSetClassifier(FaceClassifier, Protocol):
    """Anything that scores cropped faces for each of its label sets at once."""

    def classify_all(self, faces: np.ndarray) -> dict[str, np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Scores:
    """A model's scores of the faces of one split, in their order there and before any temperature.

    Attributes:
        probs: float32 (n, k), in the order of the data set's class names; rows sum to 1.
        mirrored: float32 (n, k), the same of the mirrored faces.
        ms_per_face: how long one call with one face takes on this machine, median, milliseconds.
        others: the scores of the model's other label sets, by their name.
    """

    probs: np.ndarray
    mirrored: np.ndarray
    ms_per_face: float
    others: Mapping[str, Scores] = field(default_factory=dict)

    @property
    def with_flip(self) -> np.ndarray:
        """float32 (n, k), the mean of both views."""
        return (self.probs + self.mirrored) / 2

    def by_label_set(self, card: ModelCard) -> dict[str, Scores]:
        """Return the scores of each of the label sets that the model's card names, the default first."""
        return {card.label_sets[0]: self, **{name: self.others[name] for name in card.label_sets[1:]}}


def classifier_of(bundle: Bundle) -> LiteRTClassifier:
    """Return the network of a model with its scores as trained, before the card's temperature."""
    return LiteRTClassifier.from_bundle(bundle, calibrated=False)


def score(
    classifier: FaceClassifier,
    images: np.ndarray,
    progress: Callable[[int], None] | None = None,
    class_names: tuple[str, ...] = LABELS,
) -> np.ndarray:
    """Return float32 (n, k) scores, in the order of the class names, of images uint8 (n, 48, 48).

    Args:
        classifier: gives scores in the order of its own labels.
        images: the faces.
        progress: called with the number of faces scored since the last call.
        class_names: of the k classes of the data set.

    Raises:
        ModelError: the model has other classes.
    """
    answers = _score_chunks(classifier, lambda faces: {"": classifier.classify(faces)}, images, progress, class_names)
    return answers[""]


def score_label_sets(
    classifier: LabelSetClassifier,
    images: np.ndarray,
    progress: Callable[[int], None] | None = None,
    class_names: tuple[str, ...] = LABELS,
) -> dict[str, np.ndarray]:
    """Return what `score` returns for each of the classifier's label sets, for the cost of one of them."""
    return _score_chunks(classifier, classifier.classify_all, images, progress, class_names)


def other_classes(model: str, labels: Sequence[str], class_names: Sequence[str]) -> str:
    """Return as a sentence that a model cannot be measured on a data set of other classes; empty if it can.

    Args:
        model: its name.
        labels: of its scores, in any order.
        class_names: of the data set.

    >>> other_classes("mine", ("calm", "happy"), ("happy", "calm"))
    ''
    """
    if set(labels) == set(class_names):
        return ""
    return (
        f"{model} scores the classes {', '.join(labels)}; the data set has {', '.join(class_names)}. Choose a model "
        "and a data set of the same classes."
    )


def find_scores(bundle: Bundle, data_hash: str, split: str) -> Scores | None:
    """Return the kept scores of a model on a split; None unless there are some of all its label sets."""
    found = []
    for label_set in _cached_label_sets(bundle.card):
        arrays = find_cached(cache_folder(data_hash), _name("scores", bundle, split, label_set))
        if arrays is None:
            return None
        found.append(Scores(arrays["probs"], arrays["mirrored"], float(arrays["ms_per_face"])))
    return _joined(bundle.card, found)


def find_robustness(bundle: Bundle, data_hash: str, split: str) -> RobustnessResult | None:
    """Return the kept robustness of a model on a split, None if it was not measured."""
    arrays = find_cached(cache_folder(data_hash), _name("robustness", bundle, split))
    return None if arrays is None else _levels(arrays)


def score_split(bundle: Bundle, faces: FaceSet, split: str, progress: Progress | None = None) -> Scores:
    """Return the scores of a model on a split for each of its label sets, computed and kept unless they were before.

    Raises:
        DataError: the data set has no such split.
        ModelError: the model has other classes than the data set.
    """
    if problem := other_classes(bundle.card.name, bundle.card.labels, faces.class_names):
        raise ModelError(problem)
    if kept := find_scores(bundle, faces.hash, split):
        return kept
    images = faces.images[faces.rows_of(split)]
    classifier, count = classifier_of(bundle), _Count(2 * len(images), progress)
    probs, mirrored = (
        _score_all(bundle.card, classifier, view, count, faces.class_names) for view in (images, images[:, :, ::-1])
    )
    ms = ms_per_face(classifier.classify, images, _TIMED_CALLS)
    found = [Scores(probs[name], mirrored[name], ms) for name in bundle.card.label_sets]
    for label_set, scores in zip(_cached_label_sets(bundle.card), found, strict=True):
        save_cached(
            cache_folder(faces.hash),
            _name("scores", bundle, split, label_set),
            {"probs": scores.probs, "mirrored": scores.mirrored, "ms_per_face": np.array(ms)},
        )
    return _joined(bundle.card, found)


def score_robustness(bundle: Bundle, faces: FaceSet, split: str, progress: Progress | None = None) -> RobustnessResult:
    """Return the accuracy of a model's default label set at each level of each corruption, kept as scores are.

    It is measured against the data set's own labels.
    """
    if (kept := find_robustness(bundle, faces.hash, split)) is not None:
        return kept
    rows = faces.rows_of(split)
    images, labels, classifier = np.array(faces.images[rows]), faces.labels[rows], classifier_of(bundle)
    passes = sum(level != 0 for corruption in CORRUPTIONS.values() for level in corruption.levels)
    count = _Count(passes * len(rows), progress)
    clean = score_split(bundle, faces, split).probs
    arrays = {
        name: np.array([level.accuracy for level in levels])
        for name, levels in measure_robustness(
            lambda some: score(classifier, some, count, faces.class_names), images, labels, clean
        )
    }
    save_cached(cache_folder(faces.hash), _name("robustness", bundle, split), arrays)
    return _levels(arrays)


def _score_all(
    card: ModelCard,
    classifier: LiteRTClassifier,
    images: np.ndarray,
    progress: Callable[[int], None],
    class_names: tuple[str, ...],
) -> dict[str, np.ndarray]:
    if len(card.label_sets) == 1:
        return {card.label_sets[0]: score(classifier, images, progress, class_names)}
    return score_label_sets(classifier, images, progress, class_names)


def _score_chunks(
    classifier: FaceClassifier,
    classify: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    images: np.ndarray,
    progress: Callable[[int], None] | None,
    class_names: tuple[str, ...],
) -> dict[str, np.ndarray]:
    if problem := other_classes("The model", classifier.labels, class_names):
        raise ModelError(problem)
    order = [classifier.labels.index(label) for label in class_names]
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(images), _CHUNK_FACES):
        chunk = np.ascontiguousarray(images[start : start + _CHUNK_FACES])
        for name, probs in classify(chunk).items():
            parts.setdefault(name, []).append(probs[:, order])
        if progress:
            progress(len(chunk))
    return {name: np.concatenate(chunks) for name, chunks in parts.items()}


def _joined(card: ModelCard, scores: Sequence[Scores]) -> Scores:
    """Return the first of `scores`, which belong to the card's label sets, with the others in it."""
    first, *others = scores
    return Scores(first.probs, first.mirrored, first.ms_per_face, dict(zip(card.label_sets[1:], others, strict=True)))


def _levels(arrays: Mapping[str, np.ndarray]) -> RobustnessResult:
    return {
        name: tuple(
            RobustnessLevel(level, float(accuracy))
            for level, accuracy in zip(CORRUPTIONS[name].levels, arrays[name], strict=True)
        )
        for name in CORRUPTIONS
    }


def _cached_label_sets(card: ModelCard) -> tuple[str, ...]:
    """Return what the card's label sets are called in file names: the default has no name there."""
    return ("", *card.label_sets[1:])


def _name(kind: str, bundle: Bundle, split: str, label_set: str = "") -> str:
    return "-".join(filter(None, (kind, scores_key(bundle.card), label_set, split)))


class _Count:
    """Adds up the faces of several passes for one progress bar."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def __call__(self, more: int) -> None:
        self._done += more
        if self._progress:
            self._progress(self._done, self._total)
