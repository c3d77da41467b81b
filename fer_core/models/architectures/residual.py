"""The parts that the residual networks are built of."""

from __future__ import annotations

import keras
from keras import layers

from fer_core.models.architectures.normalization import BatchNormalization


def conv(
    x: keras.KerasTensor,
    width: int,
    name: str,
    stride: int = 1,
    size: int = 3,
    relu: bool = True,
) -> keras.KerasTensor:
    """A convolution without bias, batch normalization, and ReLU unless `relu` is off."""
    x = layers.Conv2D(
        width, size, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    x = BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def block(x: keras.KerasTensor, width: int, stride: int, excite: bool, name: str) -> keras.KerasTensor:
    """Two convolutions beside a shortcut, which is projected where the shape changes."""
    shortcut = x
    if stride != 1 or x.shape[-1] != width:
        shortcut = conv(x, width, f"{name}_shortcut", stride, size=1, relu=False)
    x = conv(x, width, f"{name}_a", stride)
    x = conv(x, width, f"{name}_b", relu=False)
    if excite:
        x = _excite(x, width, name)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, shortcut]))


def _excite(x: keras.KerasTensor, width: int, name: str) -> keras.KerasTensor:
    """Squeeze and excitation (Hu et al., 2018): each channel weighed by the means of all."""
    weight = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    weight = layers.Dense(width // 8, activation="relu", name=f"{name}_reduce")(weight)
    weight = layers.Dense(width, activation="sigmoid", name=f"{name}_excite")(weight)
    return layers.Multiply(name=f"{name}_weigh")([x, weight])
