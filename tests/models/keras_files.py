"""Small Keras models, and the faces that both forms are given."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from tests.drawn_faces import demo_set

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


def outputs_of(network: keras.Model, images: np.ndarray):
    """Return what a network says of images, by output if it has several; compiling it would take longer than running.

    Args:
        network: any Keras network.
        images: (n, h, w, 1), in the range that it takes.
    """
    outputs = network(np.asarray(images, np.float32), training=False)
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def with_expressive_heads(network: keras.Model) -> keras.Model:
    """Scale the heads of an untrained network so that its scores differ from face to face and from head to head."""
    images = np.concatenate([demo_set(70).images[:16], faces(16)])[..., None]
    features = outputs_of(keras.Model(network.inputs[0], network.get_layer("features").output), images)
    for layer in network.layers:
        if layer.name.startswith("scores"):
            kernel, _ = layer.get_weights()
            logits = features @ kernel
            scale = 2 / logits.std(axis=0)
            layer.set_weights([kernel * scale, -logits.mean(axis=0) * scale])
    return network
