"""Weights of a registered architecture, loaded into a newly built network.

Nothing in the file is run: its weights must have the names and shapes of the new network's, and its layers, if it
describes them, the same settings.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from fer_core.errors import ModelError
from fer_core.models.importing.description import DESCRIPTION_NEEDED
from fer_core.models.importing.inspection import ModelFile, unpacked_weights, weight_shapes
from fer_core.models.label_sets import LABEL_SETS
from fer_core.models.registry import architectures, build

# Settings that do not change what a trained network answers.
_WITHOUT_EFFECT = frozenset(
    (
        "name",
        "dtype",
        "trainable",
        "rate",
        "seed",
        "momentum",
        "renorm_momentum",
        "synchronized",
        "batch_shape",
        "build_input_shape",
        "quantization_config",
        "noise_shape",
    )
)
_WITHOUT_EFFECT_ENDINGS = ("_initializer", "_regularizer", "_constraint")


@dataclass(frozen=True)
class Origin:
    """What network the weights of a file belong to.

    Attributes:
        architecture: its name in the registry, or "imported" for a foreign network.
        label_sets: what it gives scores for.
    """

    architecture: str
    label_sets: tuple[str, ...]


def load_registered_weights(file: ModelFile, architecture: str | None) -> tuple[keras.Model, Origin]:
    """Return a network with the weights of `file`, and what network it is.

    Args:
        file: a .keras file, or Keras 3 weights.
        architecture: its name; a .keras file may leave it open.

    Raises:
        ModelError: the file's weights or layers are not those of the architecture, or of none.
    """
    names = (architecture,) if architecture else architectures()
    with unpacked_weights(file) as path:
        shapes = weight_shapes(path)
        fitting = _fitting(names, shapes)
        if file.config is None and not architecture:
            fits = ", ".join(origin.architecture for origin, _ in fitting) or "none that is registered here"
            raise ModelError(
                f"{file.path.name} holds weights without a description of their network. Name its "
                f"architecture (on the command line --architecture); by names and shapes it fits: {fits}."
            )
        if not architecture:
            fitting = [pair for pair in fitting if not _differences(file, pair[1])]
        if not fitting:
            raise _mismatch(file, shapes, architecture)
        origin, network = fitting[0]
        if differences := _differences(file, network):
            raise ModelError(
                f"{file.path.name} has the weights of {origin.architecture}, but its layers differ from that "
                f"network's: {'; '.join(differences[:3])}. Import it by a description instead: labels, input size "
                "and scale."
            )
        network.load_weights(path)
    return network, origin


def _fitting(names: Sequence[str], shapes: dict[str, tuple[int, ...]]) -> list[tuple[Origin, keras.Model]]:
    """Return the networks with weights of these shapes: with one head or, if none fits, with one for each label set."""
    for label_sets in (("fer",), LABEL_SETS):
        networks = [(Origin(name, label_sets), build(name, label_sets=label_sets)) for name in names]
        if fitting := [(origin, network) for origin, network in networks if _saved_shapes(network) == shapes]:
            return fitting
    return []


def _mismatch(file: ModelFile, shapes: dict[str, tuple[int, ...]], architecture: str | None) -> ModelError:
    if architecture is None:
        return ModelError(
            f"{file.path.name} is none of the networks registered here ({', '.join(architectures())}). "
            f"{DESCRIPTION_NEEDED}"
        )
    expected = _saved_shapes(build(architecture))
    place = next(place for place in (*expected, *shapes) if expected.get(place) != shapes.get(place))
    return ModelError(
        f"{file.path.name} does not hold the weights of {architecture}: {len(expected)} were expected and "
        f"{len(shapes)} came; the first difference is {place}, expected {_shape_text(expected.get(place))}, got "
        f"{_shape_text(shapes.get(place))}. Name the architecture that the file was trained with."
    )


def _shape_text(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else "×".join(map(str, shape)) or "a single number"


def _saved_shapes(network: keras.Model) -> dict[str, tuple[int, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fresh.weights.h5"
        network.save_weights(path)
        return weight_shapes(path)


def _differences(file: ModelFile, network: keras.Model) -> list[str]:
    """Return how the layers that a file describes differ from those of `network`, as text."""
    if file.config is None:
        return []
    # Through JSON, as the file went: tuples become lists.
    own = json.loads(json.dumps(keras.saving.serialize_keras_object(network)))["config"]["layers"]
    try:
        theirs = file.config["config"]["layers"]
        if len(own) != len(theirs):
            return [f"{len(theirs)} layers instead of {len(own)}"]
        places = [{layer["config"]["name"]: place for place, layer in enumerate(layers)} for layers in (own, theirs)]
        return [text for pair in zip(own, theirs, strict=True) for text in _layer_differences(*pair, *places)]
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{file.path.name} does not describe its layers as Keras 3 does ({error!r} failed). "
            "Save it again with Keras 3."
        ) from error


def _layer_differences(
    own: dict[str, Any], theirs: dict[str, Any], own_places: dict[str, int], their_places: dict[str, int]
) -> Iterator[str]:
    name = own["config"]["name"]
    if own["class_name"] != theirs["class_name"]:
        yield f"{name} is {theirs['class_name']} instead of {own['class_name']}"
        return
    if _origins(own.get("inbound_nodes"), own_places) != _origins(theirs.get("inbound_nodes"), their_places):
        yield f"{name} takes its input from another layer"
    for key, value in own["config"].items():
        # Another version of Keras may know a setting less; it then means what it always meant.
        if (
            key in theirs["config"]
            and key not in _WITHOUT_EFFECT
            and not key.endswith(_WITHOUT_EFFECT_ENDINGS)
            and theirs["config"][key] != value
        ):
            yield f"{name} has {key} = {theirs['config'][key]!r} instead of {value!r}"


def _origins(value: Any, places: dict[str, int]) -> list[int | None]:
    """Return the places, among all layers, of those that a layer's description takes its input from, in order."""
    if isinstance(value, dict):
        if "keras_history" in value:
            return [places.get(value["keras_history"][0])]
        value = list(value.values())
    return [place for item in value for place in _origins(item, places)] if isinstance(value, list) else []
