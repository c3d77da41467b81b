"""The weights that the original script saves, loaded into its network.

This needs Keras, so it runs in a process of its own (`python -m fer_core import`).
"""

from __future__ import annotations

from pathlib import Path

import h5py
import keras

from fer_core.errors import ModelError
from fer_core.models.registry import build

_ORIGINAL = "the weights that the original script saves as model.h5 (Keras 2, HDF5, 4 convolutions and 2 dense layers)"


def load_original_weights(path: Path) -> keras.Model:
    """Return the original network with the weights that its script saved (`model.h5`).

    Raises:
        ModelError: the file is missing, is not HDF5 or holds another network.
    """
    if not path.is_file():
        raise ModelError(f"{path} is not a file. Expected {_ORIGINAL}.")
    try:
        with h5py.File(path) as file:
            root = file.get("model_weights", file)
            if "layer_names" not in root.attrs:
                raise ModelError(f"{path} is HDF5, but not Keras 2 weights. Expected {_ORIGINAL}.")
            shapes = [
                root[layer][weight].shape
                for layer in _names(root, "layer_names")
                for weight in _names(root[layer], "weight_names")
            ]
    except (OSError, KeyError) as error:
        raise ModelError(f"{path} cannot be read as HDF5 weights: {error}. Expected {_ORIGINAL}.") from error
    model = build("seed-cnn")
    expected = [tuple(weight.shape) for weight in model.weights]
    if shapes != expected:
        raise ModelError(f"{path} holds weights of the shapes {shapes}; expected {expected}: {_ORIGINAL}.")
    with h5py.File(path) as file:
        root = file.get("model_weights", file)
        model.set_weights(
            [
                root[layer][weight][()]
                for layer in _names(root, "layer_names")
                for weight in _names(root[layer], "weight_names")
            ]
        )
    return model


def _names(group: h5py.Group, attribute: str) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs[attribute]]
