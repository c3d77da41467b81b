"""Which faces of a data set a model was trained on: figures on those say how well it remembers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.fingerprint import (
    FER2013_HASH,
    FINGERPRINT_FILE,
    fer2013_fingerprints,
    load_fingerprint,
    save_fingerprint,
)
from fer_core.files import sha256_of
from fer_core.models.bundle import CARD_FILE
from fer_core.models.card import ModelCard

# What a network may have been trained on if its card does not say: tests choose between networks but train none.
_TRAINING_SPLITS: tuple[str, ...] = ("Training", "Validation")
# Share of a split, 0 to 1, that may be copies of training images before the split counts as trained on.
_COPIES_AT_MOST = 0.2


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


def carry_fingerprint(cards: Sequence[ModelCard], folder: Path) -> None:
    """Write what models were trained on beside the card of a model that was made from them, and list it there.

    Nothing is written where their cards say it themselves, or where it is not known of one of them.

    Args:
        cards: of the models, as they were read from their folders.
        folder: of the new model, with its card.

    Raises:
        DataError: the fingerprint of one of them is missing or damaged.
    """
    if not any(FINGERPRINT_FILE in card.files for card in cards):
        return
    fingerprints = [fingerprint for card in cards if (fingerprint := training_fingerprint(card)) is not None]
    if len(fingerprints) < len(cards):
        return
    path = save_fingerprint(folder, np.unique(np.concatenate(fingerprints)))
    card = ModelCard.load(folder / CARD_FILE)
    replace(card, files={**card.files, FINGERPRINT_FILE: sha256_of(path)}).save(folder / CARD_FILE)


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
