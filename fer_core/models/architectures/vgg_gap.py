"""A larger network: 4.7 million parameters, 469 million multiply-adds; trained in minutes on a graphics processor.

It is one of the two networks of `accurate`, and a teacher for smaller ones (`--teachers vgg-gap`).
"""

from __future__ import annotations

import keras

from fer_core.models.architectures.vgg import build_vgg


def build(size: int | None = 48) -> keras.Model:
    """Return the untrained network: (n, size, size, 1), 0 to 255, to softmax scores (n, 7)."""
    return build_vgg("vgg-gap", (64, 128, 256, 512), size, momentum=0.99, dropout=0.4)
