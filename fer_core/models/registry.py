"""The architectures by name. A new one is one new file with one `@register` line."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from fer_core.errors import ModelError

if TYPE_CHECKING:
    import keras

# The module that defines each architecture; imported on demand, since importing it loads Keras.
_MODULES: dict[str, str] = {
    "seed-cnn": "fer_core.models.architectures.seed_cnn",
    "small-cnn": "fer_core.models.architectures.small_cnn",
    "compact": "fer_core.models.architectures.compact",
    "vgg-gap": "fer_core.models.architectures.vgg_gap",
}
# The width and height of the faces that every network takes, pixels.
FACE_SIZE = 48
# Networks that average over the picture at their end take faces of other sizes too.
_RESIZABLE = ("small-cnn", "compact", "vgg-gap")


def architectures() -> tuple[str, ...]:
    """Return the names of the registered architectures."""
    return tuple(_MODULES)


def resizable(name: str) -> bool:
    """Return whether the architecture takes faces of other sizes than 48."""
    return name in _RESIZABLE


def build(name: str, size: int | None = FACE_SIZE) -> keras.Model:
    """Build the untrained network `name`.

    It takes gray faces (n, size, size, 1), of any size if that is None, with values 0 to 255 and
    returns softmax scores (n, 7) in the order of `fer_core.emotions.LABELS`. Scaling is its own
    first layer. The layer named `features` gives the features before the scores.

    Raises:
        ModelError: no architecture has this name, or it does not take this size.
    """
    if name not in _MODULES:
        raise ModelError(f"No architecture is named {name!r}. Registered: {', '.join(_MODULES)}.")
    builder: Callable[..., keras.Model] = import_module(_MODULES[name]).build
    if size == FACE_SIZE:
        return builder()
    if not resizable(name):
        raise ModelError(f"The network {name} takes faces of {FACE_SIZE} × {FACE_SIZE} pixels only.")
    return builder(size)
