"""A small residual network for 48-pixel faces: 142 million multiply-adds, 1.53 million parameters.

A stem at 48 pixels, then four residual blocks at 24, 12, 12 and 6; squeeze-and-excitation (Hu et
al., 2018) in the last three, where it costs nothing; the features are a global average, so that
there is no large dense layer to overfit.
"""

from __future__ import annotations

import keras
from keras import layers

from fer_core.emotions import LABELS
from fer_core.models.architectures.residual import block, conv

# Mean and standard deviation of FER-2013's training pixels, as shares of white.
_MEAN, _STD = 0.508, 0.255


# Width and stride of each residual block after the stem, which alone works at 48 pixels: there
# activations are largest, and their cost is memory, not arithmetic.
_BLOCKS = ((64, 2), (128, 2), (128, 1), (256, 2))
_EXCITED_WIDTH = 128


def build(size: int | None = 48) -> keras.Model:
    """Return the untrained network: (n, size, size, 1), 0 to 255, to softmax scores (n, 7)."""
    faces = keras.Input((size, size, 1), name="face")
    x = layers.Rescaling(1 / (255 * _STD), -_MEAN / _STD, name="scale")(faces)
    x = conv(x, 32, name="stem")
    for number, (width, stride) in enumerate(_BLOCKS, 1):
        x = block(x, width, stride, excite=width >= _EXCITED_WIDTH, name=f"block{number}")
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(0.2, name="drop")(x)
    # Scores stay float32 under mixed precision: a bfloat16 softmax loses digits.
    scores = layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="scores")(x)
    return keras.Model(faces, scores, name="compact")
