"""The weights of a model of the app as Keras takes them: what training can go on from.

The app's own form has its normalisation folded into its kernels and cannot be trained any more. A model may
therefore have its weights beside it, 2 bytes each, in the order in which its network lists them, with the heads of
all its label sets.
"""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import keras
import numpy as np

from fer_core.errors import ModelError
from fer_core.files import atomic_path, sha256_of
from fer_core.models.bundle import CARD_FILE, WEIGHTS_FILE
from fer_core.models.card import ModelCard
from fer_core.models.registry import build

_KERAS_WEIGHTS = ".weights.h5"


def save_weights(model: keras.Model, folder: Path) -> None:
    """Write the weights of a registered network beside its model in `folder`, whose card then has their hash."""
    path = folder / WEIGHTS_FILE
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, *(weights.astype(np.float16) for weights in model.get_weights()))
    card = ModelCard.load(folder / CARD_FILE)
    dataclasses.replace(card, files={**card.files, WEIGHTS_FILE: sha256_of(path)}).save(folder / CARD_FILE)


def load_network(folder: Path) -> keras.Model:
    """Return the network of a model or a finished run with all its heads, float32, ready to be trained on.

    Args:
        folder: with `card.json` and the weights: `weights.npz`, or a run's `.weights.h5`.

    Raises:
        ModelError: it has no weights for Keras, or they were cut short or altered.
    """
    card = ModelCard.load(folder / CARD_FILE)
    names = (WEIGHTS_FILE, *(name for name in card.files if name.endswith(_KERAS_WEIGHTS)))
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise ModelError(
            f"The model {card.name} has no Keras weights, only the LiteRT file of the app. Take the run "
            "that it came from instead."
        )
    if sha256_of(path) != card.files.get(path.name):
        raise ModelError(
            f"{path} is not the file its card describes. It was cut short or altered; install the package again."
        )
    network = build(card.architecture, label_sets=card.label_sets, classes=len(card.labels))
    if path.name.endswith(_KERAS_WEIGHTS):
        network.load_weights(path)
        return network
    try:
        with np.load(path) as arrays:
            network.set_weights([array.astype(np.float32) for array in arrays.values()])
    except (zipfile.BadZipFile, ValueError) as error:
        raise ModelError(f"{path} does not hold the weights of the network {card.architecture}: {error}.") from error
    return network
