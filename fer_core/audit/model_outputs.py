"""What a model makes of every face of a data set: its scores, its features, and a flat map of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.audit.projection import Projection2D, project_features
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.fingerprint import FER2013_HASH, FINGERPRINT_FILE, fer2013_fingerprints, load_fingerprint
from fer_core.models.card import ModelCard

# What a network may have learned from if its card does not say. The tests may choose between networks but teach none.
_TRAINING_SPLITS = ("Training", "Validation")
# Share of a split, 0 to 1, that may be copies of training images before the split counts as trained on.
_COPIES_AT_MOST = 0.2
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


def trained_on(card: ModelCard, faces: FaceSet) -> np.ndarray:
    """Return the faces, bool (n,), that a model was trained on, by the content of their images.

    Where the content of the training images is not known (see `training_fingerprint`), these are the faces that
    it may have been trained on by what its card says.
    """
    fingerprint = training_fingerprint(card)
    return _may_be_trained_on(card, faces) if fingerprint is None else np.isin(faces.image_hashes, fingerprint)


def training_fingerprint(card: ModelCard) -> np.ndarray | None:
    """Return the hashes of the images that a model was trained on, uint64 (m,), or None if they are not known.

    They lie beside the card, or are known because the card names FER-2013 itself as its data.

    Raises:
        DataError: the file that the card names is missing or damaged.
    """
    if FINGERPRINT_FILE in card.files and card.folder is not None:
        return load_fingerprint(card.folder)
    splits = card.training.get("train_splits") or ()
    if card.data.get("sha256") == FER2013_HASH and splits and set(splits) <= fer2013_fingerprints().keys():
        return np.unique(np.concatenate([fer2013_fingerprints()[split] for split in splits]))
    return None


def trained_on_splits(card: ModelCard, faces: FaceSet, splits: Iterable[str]) -> list[str]:
    """Return those of `splits` that a model was trained on, so that figures measured there would be flattered.

    A few copies do not make a split one: FER-2013's tests share 8 % of their images with Training.
    """
    rows = trained_on(card, faces)
    return [split for split in splits if rows[faces.rows_of(split)].mean() > _COPIES_AT_MOST]


def _may_be_trained_on(card: ModelCard, faces: FaceSet) -> np.ndarray:
    """Return the faces, bool (n,), that a model may have been trained on by what its card says.

    A card that says nothing of its data is taken for one of FER-2013. Faces that are held out as Validation
    here were Training to a model that learned from any other division of the data; and where all of its data
    were Training, the tests may have been among them. Drawings teach nothing about photographs and the other
    way round: across that border nothing counts as seen.
    """
    if bool(card.data.get("synthetic", False)) != faces.source.synthetic:
        return np.zeros(len(faces), bool)
    splits = set(card.training.get("train_splits") or _TRAINING_SPLITS)
    if splits & {"PublicTest", "PrivateTest"}:
        splits.add("Test")  # a folder tree mixes both under this name
    images = card.data.get("images", {})
    if "Training" in splits:
        # Images that were left out or relabelled make another hash of the same division.
        same = card.data.get("sha256") == faces.hash or card.training.get("corrections")
        if not (same and images.get("Validation")):
            splits.add("Validation")
        if set(images) == {"Training"}:
            splits |= {"PublicTest", "PrivateTest", "Test"}
    return np.isin(faces.split, [SPLITS.index(split) for split in splits if split in SPLITS])
