"""A small network that learns within a minute, to try out training with.

Unlike the original network it leaves its starting point within the first hundred steps.
"""

from __future__ import annotations

import keras

from fer_core.models.architectures.vgg import build_vgg


def build(size: int | None = 48) -> keras.Model:
    """Return the untrained network: (n, size, size, 1), 0 to 255, to softmax scores (n, 7)."""
    return build_vgg("small-cnn", (16, 32, 64), size, momentum=0.9, dropout=0.2)
