"""Small Keras models to import, and the faces that both forms are given."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

LABELS_TEXT = "angry,disgust,fear,happy,sad,surprise,neutral"


def faces(count: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48), np.uint8)


def small_network(
    size: int = 24, channels: int = 1, outputs: int = 7, activation: str = "softmax", extra: tuple = ()
) -> keras.Model:
    """A network of no registered architecture, with weights that tell faces apart."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            *extra,
            layers.Conv2D(4, 5, strides=3, activation="relu"),
            layers.Conv2D(outputs, 3),
            layers.GlobalAveragePooling2D(),
            layers.Activation(activation),
        ]
    )


def saved(network: keras.Model, path: Path) -> Path:
    network.save(path)
    return path
