"""The architectures by name. A new one is one file in `architectures` and one `ModelSpec` here.

The builders are imported on demand, since importing them loads Keras: listing names does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.face_size import FACE_SIZE
from fer_core.models.label_sets import SCORES, score_outputs

if TYPE_CHECKING:
    import keras

KERNELS = ("float32", "float16", "int8")


@dataclass(frozen=True)
class ModelSpec:
    """An architecture: how it is built, and how it is trained and shipped by default.

    Attributes:
        name: what it is called in configurations and cards.
        build: gives the untrained network, a `keras.Model` of this name that takes faces (n, 48, 48, 1), 0 to 255, and
            returns softmax scores (n, 7) in the order of `fer_core.emotions.LABELS`; for other classes, `build` below
            puts another last layer in its place. Scaling is its first layer; its layer `features` gives (n, d), its
            last layer is a `Dense` named `scores`. Either a function or "package.module:function", imported when it is
            first built.
        resizable: whether it takes faces of other sizes; `build` is then called with the size in pixels, None for any.
        kernels: how its weights are stored in a LiteRT file, one of `KERNELS`.
        preset: name of the recipe in `fer_core.training.config.PRESETS` that it is trained by, if there is one.
    """

    name: str
    build: str | Callable[..., keras.Model]
    resizable: bool = False
    kernels: str = "float16"
    preset: str | None = None

    def __post_init__(self) -> None:
        if self.kernels not in KERNELS:
            raise ModelError(f"Expected kernels out of {', '.join(KERNELS)} for {self.name}; got {self.kernels!r}.")

    def builder(self) -> Callable[..., keras.Model]:
        """Return the function that builds it, imported if need be."""
        if not isinstance(self.build, str):
            return self.build
        module, _, function = self.build.partition(":")
        return getattr(import_module(module), function)


_specs: dict[str, ModelSpec] = {}


def register(spec: ModelSpec) -> None:
    """Make an architecture known to building, training, importing and exporting.

    Raises:
        ModelError: its name is taken.
    """
    if spec.name in _specs:
        raise ModelError(f"An architecture named {spec.name!r} is registered already. Choose another name.")
    _specs[spec.name] = spec


_BUILDERS = "fer_core.models.architectures"
register(ModelSpec("seed-cnn", f"{_BUILDERS}.seed_cnn:build", preset="seed-cnn"))
register(ModelSpec("small-cnn", f"{_BUILDERS}.small_cnn:build", resizable=True, preset="quick"))
# One byte a weight was measured to cost `compact` no accuracy; the runtime then takes a third of the time.
register(ModelSpec("compact", f"{_BUILDERS}.compact:build", resizable=True, kernels="int8", preset="compact"))
register(ModelSpec("vgg-gap", f"{_BUILDERS}.vgg_gap:build", resizable=True, kernels="int8"))


def architectures() -> tuple[str, ...]:
    """Return the names of the registered architectures."""
    return tuple(_specs)


def spec_of(name: str) -> ModelSpec:
    """Return the entry of an architecture.

    Raises:
        ModelError: no architecture has this name.
    """
    if name not in _specs:
        raise ModelError(f"No architecture is named {name!r}. Registered: {', '.join(_specs)}.")
    return _specs[name]


def resizable(name: str) -> bool:
    """Return whether a registered architecture takes faces of other sizes than 48 pixels."""
    return name in _specs and _specs[name].resizable


def build(
    name: str, size: int | None = FACE_SIZE, label_sets: Sequence[str] = ("fer",), classes: int = len(LABELS)
) -> keras.Model:
    """Build the untrained network `name`.

    It takes gray faces (n, size, size, 1), 0 to 255, and returns softmax scores (n, classes), by default in the order
    of `fer_core.emotions.LABELS`. With several label sets it returns a dictionary of them, one entry for the softmax
    layer of each: `scores` for the first, `scores_<label set>` for the others, all on the same features.

    Args:
        name: of a registered architecture.
        size: width and height of the faces in pixels; any if None.
        label_sets: what it gives scores for, the default first; see `fer_core.models.label_sets`.
        classes: number of scores.

    Raises:
        ModelError: no architecture has this name, it does not take this size, or other classes than the seven emotions
            are to have several label sets.
    """
    spec = spec_of(name)
    builder = spec.builder()
    if size != FACE_SIZE and not spec.resizable:
        raise ModelError(f"The network {name} takes faces of {FACE_SIZE} × {FACE_SIZE} pixels only.")
    network = builder(size) if spec.resizable else builder()
    if len(label_sets) > 1:
        if classes != len(LABELS):
            raise ModelError(f"Only the {len(LABELS)} emotions have several label sets; got {classes} classes.")
        return _with_heads(network, label_sets)
    return network if classes == len(LABELS) else _with_classes(network, classes)


def _with_classes(network: keras.Model, classes: int) -> keras.Model:
    """Return the network with a softmax layer like its own, but for this number of classes."""
    import keras

    own = network.get_layer(SCORES)
    scores = keras.layers.Dense.from_config({**own.get_config(), "units": classes})(own.input)
    return keras.Model(network.inputs[0], scores, name=network.name)


def _with_heads(network: keras.Model, label_sets: Sequence[str]) -> keras.Model:
    """Return the network with one more softmax layer, like its own, for each label set but the first."""
    import keras

    own = network.get_layer(SCORES)
    heads = {SCORES: network.outputs[0]}
    for output in list(score_outputs(label_sets).values())[1:]:
        heads[output] = keras.layers.Dense.from_config({**own.get_config(), "name": output})(own.input)
    return keras.Model(network.inputs[0], heads, name=network.name)
