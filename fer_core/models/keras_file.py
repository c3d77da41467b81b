"""A network as a `.keras` file that plain Keras opens, in a program that has never heard of this package."""

from __future__ import annotations

from pathlib import Path

import keras

from fer_core.files import atomic_path


def save_keras(model: keras.Model, path: Path) -> None:
    """Write a network to `path`, which ends in .keras; `keras.models.load_model(path)` opens it anywhere.

    Layers of this package are replaced by those of Keras, which compute the same in inference.
    """
    with atomic_path(path) as partial:
        with_keras_layers(model).save(partial)


def with_keras_layers(model: keras.Model) -> keras.Model:
    """Return a copy of a network in Keras's own layers alone, with the same weights."""

    def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind = keras.layers.BatchNormalization if isinstance(layer, keras.layers.BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=plain)
    copy.set_weights(model.get_weights())
    return copy
