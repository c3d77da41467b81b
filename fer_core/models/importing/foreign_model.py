"""A whole Keras model of any architecture, with layers in front of it that resize and scale this program's faces."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

from fer_core.errors import ModelError
from fer_core.face_size import FACE_SIZE
from fer_core.models.architectures import normalization  # noqa: F401  its layer may be part of such a model
from fer_core.models.importing.description import SCALES, Description
from fer_core.models.importing.inspection import Kind, ModelFile, unpacked_weights
from fer_core.models.importing.resizing import resize_bilinear
from fer_core.models.importing.safety import require_safe_config

# What Keras raises for a damaged or foreign file; it has no exceptions of its own for that.
_LOADING_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    NotImplementedError,
    OSError,
    RuntimeError,
)
_WITH_KERNEL = (layers.Dense, layers.Conv2D, layers.SeparableConv2D, layers.DepthwiseConv2D)


def load_foreign_model(file: ModelFile, description: Description) -> keras.Model:
    """Return a network that takes faces (n, 48, 48, 1), 0 to 255, and gives `scores` and `features`.

    Args:
        file: a whole Keras model.
        description: what it takes and what its scores mean.

    Raises:
        ModelError: it could run code, cannot be loaded, or does not fit its description.
    """
    if file.config is None:
        raise ModelError(
            f"{file.path.name} holds weights without their network, so a description cannot be used. "
            "Save the whole model (model.save), or name one of the architectures here."
        )
    require_safe_config(file.config, file.path.name)
    model = _load(file)
    _check_shapes(model, description, file.path.name)
    network = _with_preprocessing(model, description, file.path.name)
    _check_scores(network, file.path.name)
    return network


def _load(file: ModelFile) -> keras.Model:
    # Keras judges by the suffix, this program by content: give it the suffix that the content has.
    suffix = ".keras" if file.kind is Kind.KERAS else ".h5"
    with tempfile.TemporaryDirectory() as folder, unpacked_weights(file):
        path = Path(folder) / f"model{suffix}"
        path.symlink_to(file.path.resolve())
        try:
            return keras.models.load_model(path, compile=False, safe_mode=True)
        except _LOADING_ERRORS as error:
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise ModelError(
                f"{file.path.name} cannot be loaded by Keras {keras.__version__}: {reason}. It was "
                "damaged, or saved by a version that differs too much; save it again with Keras 3."
            ) from error


def _check_shapes(model: keras.Model, description: Description, name: str) -> None:
    if not getattr(model, "inputs", None) or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"{name} must take one picture and give one row of scores; it has "
            f"{len(getattr(model, 'inputs', None) or ())} inputs and "
            f"{len(getattr(model, 'outputs', None) or ())} outputs."
        )
    size, input_shape, output_shape = (
        description.input_size,
        tuple(model.inputs[0].shape),
        tuple(model.outputs[0].shape),
    )
    if len(input_shape) != 4 or input_shape[3] != 1:
        channels = f"{input_shape[3]} channels" if len(input_shape) == 4 else f"the shape {input_shape}"
        raise ModelError(
            f"{name} takes pictures with {channels}; expected one gray channel, (n, {size}, {size}, 1). "
            "Only networks for gray faces can be imported."
        )
    if any(side not in (None, size) for side in input_shape[1:3]):
        raise ModelError(
            f"{name} takes faces of {input_shape[1]}×{input_shape[2]} pixels, its description says {size}×{size}. "
            f"Correct the input size."
        )
    if len(output_shape) != 2 or output_shape[1] != len(description.labels):
        raise ModelError(
            f"{name} gives {output_shape[-1]} scores in the shape {output_shape}, its description names "
            f"{len(description.labels)} labels. Expected a network that ends in one row of "
            f"{len(description.labels)} scores."
        )


def _with_preprocessing(model: keras.Model, description: Description, name: str) -> keras.Model:
    low, high = SCALES[description.scale]
    size = description.input_size
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name="face")
    x = faces
    if size != FACE_SIZE and description.resize == "bilinear":
        x = resize_bilinear(x, size)
    elif size != FACE_SIZE:
        x = layers.Resizing(size, size, interpolation="nearest", name="resize")(x)
    x = layers.Rescaling((high - low) / 255, low, name="scale")(x)
    inner = keras.Model(model.inputs[0], {"scores": model.outputs[0], "features": _features(model, name)})
    outputs = inner(x)
    return keras.Model(faces, {"scores": outputs["scores"], "features": outputs["features"]}, name="imported")


def _features(model: keras.Model, name: str) -> keras.KerasTensor:
    """Return the input of the last layer with weights, (n, d), averaged over the picture if it has one."""
    last = next((layer for layer in reversed(model.layers) if isinstance(layer, (*_WITH_KERNEL, keras.Model))), None)
    if last is None or isinstance(last, keras.Model):
        raise ModelError(
            f"{name} ends in a network within a network, or has no layer with weights, so the features "
            "before its scores cannot be found. Save it with its last dense or convolutional layer at "
            "the top level."
        )
    features = last.input
    if len(features.shape) == 4:
        features = layers.GlobalAveragePooling2D()(features)
    return features


def _check_scores(network: keras.Model, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, FACE_SIZE, FACE_SIZE, 1)).astype(np.float32)
    scores = network.predict(noise, verbose=0)["scores"]
    sums = scores.sum(axis=1)
    if not (np.all(scores >= 0) and np.all(np.abs(sums - 1) < 1e-3)):
        raise ModelError(
            f"The scores of {name} do not sum to 1: rows sum to {sums.min():.3g} to "
            f"{sums.max():.3g}, single scores run from {scores.min():.3g} to {scores.max():.3g}. "
            "Expected a softmax at its end; add one and save the model again."
        )
