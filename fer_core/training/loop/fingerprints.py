"""Which images a run learns from, by their content: kept beside the run, and with every model made from it."""

from __future__ import annotations

import dataclasses

import numpy as np

from fer_core.data.fingerprint import FINGERPRINT_FILE, content_fingerprint, load_fingerprint, save_fingerprint
from fer_core.files import sha256_of
from fer_core.models.card import ModelCard
from fer_core.trained_on import training_fingerprint
from fer_core.training.loop.initialization import InitialWeights
from fer_core.training.run.folder import RunFolder


def record_training_images(run: RunFolder, images: np.ndarray, source: InitialWeights | None) -> None:
    """Write the fingerprint of all images that shape a run's weights to its folder.

    Where it is not known what the initial weights learned from, nothing is written: half the truth would be worse.

    Args:
        run: its folder.
        images: uint8 (n, h, w), all that it trains on.
        source: where its initial weights come from; None if they are random.

    Raises:
        DataError: the fingerprint of the initial weights is damaged.
    """
    run.fingerprint_file.unlink(missing_ok=True)
    fingerprint = content_fingerprint(images)
    if source is not None:
        known = source.fingerprint()
        if known is None:
            return
        fingerprint = np.union1d(fingerprint, known)
    save_fingerprint(run.path, fingerprint)


def with_fingerprint(card: ModelCard, run: RunFolder) -> ModelCard:
    """Return the card of a run with its fingerprint among the files, unless the card itself tells as much.

    It does so where the images are those of FER-2013, which the package knows.
    """
    if not run.fingerprint_file.exists():
        return card
    known = training_fingerprint(card)
    if known is not None and np.isin(load_fingerprint(run.path), known).all():
        return card
    return dataclasses.replace(card, files={**card.files, FINGERPRINT_FILE: sha256_of(run.fingerprint_file)})
