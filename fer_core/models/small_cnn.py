"""A small network that learns within a minute, to try out training with.

Three stages of two convolutions with batch normalisation, averaged over the picture. Unlike the
original network it leaves its starting point within the first hundred steps.
"""

from __future__ import annotations

import keras
from keras import layers

from fer_core.emotions import LABELS
from fer_core.models.normalization import BatchNormalization

_WIDTHS = (16, 32, 64)


def build(size: int | None = 48) -> keras.Model:
    """Return the untrained network: (n, size, size, 1), 0 to 255, to softmax scores (n, 7)."""
    parts = [keras.Input((size, size, 1), name="face"), layers.Rescaling(1 / 127.5, offset=-1, name="scale")]
    for stage, width in enumerate(_WIDTHS, 1):
        for number in (1, 2):
            name = f"{stage}_{number}"
            parts += [layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"conv{name}"),
                      BatchNormalization(momentum=0.9, name=f"norm{name}"),
                      layers.Activation("relu", name=f"relu{name}")]
        parts.append(layers.MaxPooling2D(2, name=f"pool{stage}"))
    return keras.Sequential([
        *parts,
        layers.GlobalAveragePooling2D(name="features"),
        layers.Dropout(0.2, name="drop"),
        # Scores stay float32 under mixed precision: a bfloat16 softmax loses digits.
        layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="scores"),
    ], name="small-cnn")
