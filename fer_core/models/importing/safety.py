"""Refuse models that could run code of their authors before Keras opens them.

A Keras file can name functions, classes and other files; Keras's safe mode stops most of that. Here only known layers
pass, so that anything else is refused as well.
"""

from __future__ import annotations

from typing import Any

import keras

from fer_core.errors import ModelError

_MODELS = ("Functional", "Model", "Sequential")
_LAYERS = (
    "InputLayer",
    "Dense",
    "Conv2D",
    "SeparableConv2D",
    "DepthwiseConv2D",
    "Activation",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "Softmax",
    "BatchNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "UnitNormalization",
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Flatten",
    "Reshape",
    "Permute",
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    "Add",
    "Subtract",
    "Multiply",
    "Average",
    "Maximum",
    "Minimum",
    "Concatenate",
    "ZeroPadding2D",
    "Cropping2D",
    "UpSampling2D",
    "Rescaling",
    "Normalization",
    "Resizing",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "RandomContrast",
    "RandomBrightness",
    "MultiHeadAttention",
)
# Parts of layers; older files name them without the module they come from.
_PARTS = frozenset(
    name
    for module in (keras.initializers, keras.regularizers, keras.constraints, keras.dtype_policies)
    for name in vars(module)
    if name[0].isupper()
)
_MARKS = ("__keras_tensor__", "__tuple__", "__tensor__")
_ALLOWED = frozenset((*_MODELS, *_LAYERS, *_MARKS)) | _PARTS
# This package's own layer, which is Keras's under another registered name.
# Files that were saved before it moved name its earlier module.
_OWN = tuple(
    (module, "BatchNormalization", "fer_core>BatchNormalization")
    for module in ("fer_core.models.architectures.normalization", "fer_core.models.normalization")
)
# What makes a layer large; a short file can describe one that no machine holds.
_SIZES = frozenset(
    (
        "units",
        "filters",
        "kernel_size",
        "target_shape",
        "batch_shape",
        "batch_input_shape",
        "size",
        "depth_multiplier",
        "padding",
        "height",
        "width",
        "num_heads",
        "key_dim",
        "value_dim",
    )
)
_MAX_SIZE = 1 << 16
_MAX_DEPTH = 100


def require_safe_config(config: dict[str, Any], name: str) -> None:
    """Check that a model consists of known layers only.

    Args:
        config: the model as Keras describes it: `config.json` or `model_config`.
        name: of the file, for the message.

    Raises:
        ModelError: it has a Lambda layer, a class of its author's, or layers too large for any face network.
    """
    _check({key: value for key, value in config.items() if key != "compile_config"}, name, 0)


def _check(value: Any, name: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ModelError(f"{name} nests its layers more than {_MAX_DEPTH} deep. Expected a network for faces.")
    if isinstance(value, dict):
        if "class_name" in value:
            _check_class(value, name)
        for key, item in value.items():
            if key in _SIZES:
                _check_size(item, key, name)
            _check(item, name, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, name, depth + 1)


def _check_size(value: Any, key: str, name: str) -> None:
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, (int, float)) and number > _MAX_SIZE:
            raise ModelError(
                f"{name} has a layer with {key} = {number:,}. Expected a network for faces, with at most {_MAX_SIZE:,}."
            )


def _check_class(part: dict[str, Any], name: str) -> None:
    class_name, registered = str(part["class_name"]), part.get("registered_name")
    if class_name in ("Lambda", "__lambda__", "function"):
        raise ModelError(
            f"{name} has a Lambda layer or a function of its own. That is code, and code of others is not run "
            "here. Replace it with layers of Keras and save the model again."
        )
    if (part.get("module"), class_name, registered) in _OWN:
        return
    module = str(part.get("module") or "keras")
    foreign = module.split(".")[0] != "keras" or registered not in (None, class_name)
    if class_name not in _ALLOWED or foreign:
        shown = class_name if class_name not in _ALLOWED else f"{module}.{class_name}"
        raise ModelError(
            f"{name} has a part named {shown!r}, which is not among the layers that are loaded here: code "
            "of others is not run. Rebuild that part with common layers of Keras and save the model "
            "again."
        )
