"""The 4-layer network of the public script this project grew from, layer for layer.

Source: atulapra/Emotion-detection (2,345,607 parameters). The one addition is the scaling to
0…1 as the network's own first layer: the script divided by 255 in training and forgot to when
it displayed.
"""

from __future__ import annotations

import keras
from keras import layers

from fer_core.emotions import LABELS


def build() -> keras.Model:
    """Return the untrained network: (n, 48, 48, 1), 0 to 255, to softmax scores (n, 7)."""
    return keras.Sequential(
        [
            keras.Input((48, 48, 1), name="face"),
            layers.Rescaling(1 / 255, name="scale"),
            layers.Conv2D(32, 3, activation="relu", name="conv1"),
            layers.Conv2D(64, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Dropout(0.25, name="drop2"),
            layers.Conv2D(128, 3, activation="relu", name="conv3"),
            layers.MaxPooling2D(2, name="pool3"),
            layers.Conv2D(128, 3, activation="relu", name="conv4"),
            layers.MaxPooling2D(2, name="pool4"),
            layers.Dropout(0.25, name="drop4"),
            layers.Flatten(name="flatten"),
            layers.Dense(1024, activation="relu", name="features"),
            layers.Dropout(0.5, name="drop5"),
            # Scores stay float32 under mixed precision: a bfloat16 softmax loses digits.
            layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="scores"),
        ],
        name="seed-cnn",
    )
