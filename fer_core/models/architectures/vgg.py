"""Networks of VGG's form (Simonyan and Zisserman, 2015), normalised and averaged over the picture at their end.

Each stage is two convolutions of 3 × 3 with batch normalisation, then pooling; a global average takes the place of
VGG's large dense layers, which hold most of its weights and overfit first.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from fer_core.emotions import LABELS
from fer_core.models.architectures.normalization import BatchNormalization


def build_vgg(name: str, widths: Sequence[int], size: int | None, momentum: float, dropout: float) -> keras.Model:
    """Return an untrained network: (n, size, size, 1), 0 to 255, to softmax scores (n, 7).

    Args:
        name: of the network.
        widths: channels of each stage.
        size: width and height of its faces in pixels; any if None.
        momentum: of the moving statistics of its normalisation.
        dropout: share of the features that are dropped in training.
    """
    parts = [keras.Input((size, size, 1), name="face"), layers.Rescaling(1 / 127.5, offset=-1, name="scale")]
    for stage, width in enumerate(widths, 1):
        for number in (1, 2):
            place = f"{stage}_{number}"
            parts += [
                layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"conv{place}"),
                BatchNormalization(momentum=momentum, name=f"norm{place}"),
                layers.Activation("relu", name=f"relu{place}"),
            ]
        parts.append(layers.MaxPooling2D(2, name=f"pool{stage}"))
    return keras.Sequential(
        [
            *parts,
            layers.GlobalAveragePooling2D(name="features"),
            layers.Dropout(dropout, name="drop"),
            # Scores stay float32 under mixed precision: a bfloat16 softmax loses digits.
            layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="scores"),
        ],
        name=name,
    )
