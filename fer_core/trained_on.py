"""Which faces of a data set a model was trained on: figures on those say how well it remembers."""

from __future__ import annotations

import numpy as np

from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.models.card import ModelCard

# What a network may have learned from if its card does not say. The tests may choose between networks but train none.
_TRAINING_SPLITS: tuple[str, ...] = ("Training", "Validation")


def trained_on(card: ModelCard, faces: FaceSet) -> np.ndarray:
    """Return the faces, bool (n,), that a model was trained on, or may have been.

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
