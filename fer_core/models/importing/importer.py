"""Turn a model file into a model of the app.

This needs Keras, so it runs in a process of its own (`python -m fer_core import`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from fer_core.background.steps import Steps, log_steps
from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.files import sha256_of
from fer_core.models.card import ModelCard
from fer_core.models.convert import save_bundle
from fer_core.models.importing.description import DESCRIPTION_NEEDED, Description
from fer_core.models.importing.foreign_model import load_foreign_model
from fer_core.models.importing.inspection import Kind, ModelFile, inspect_file
from fer_core.models.importing.original_weights import load_original_weights
from fer_core.models.importing.registered_weights import Origin, load_registered_weights
from fer_core.models.registry import spec_of


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Attributes:
        card: of the model.
        difference: largest difference between the scores of the network in Keras and in the app's form, 0 to 1.
    """

    card: ModelCard
    difference: float


def import_model(
    path: Path,
    folder: Path,
    name: str,
    faces: np.ndarray,
    architecture: str | None = None,
    description: Description | None = None,
    steps: Steps = log_steps,
) -> Imported:
    """Turn the model file at `path` into a model in `folder`.

    Args:
        path: a .keras file or weights of a registered architecture, the original script's model.h5,
            or, with a description, a whole Keras model.
        folder: where `model.tflite` and `card.json` go.
        name: of the model, for its card.
        faces: uint8 (n, 48, 48) that both forms must score alike.
        architecture: name of the registered architecture in the file; required for weights alone.
        description: what a foreign network takes and what its scores mean.
        steps: called as each step begins.

    Raises:
        ModelError: the file is none of these, is damaged, could run code or does not match its description.
    """
    steps(0, 2, f"reading {path.name}")
    file = inspect_file(path)
    if architecture and description:
        raise ModelError("Name the architecture of a registered network, or describe a foreign one: not both.")
    network, origin = _load(file, architecture, description)
    steps(1, 2, f"converting {network.count_params():,} parameters and comparing both forms")
    card = _card(file, name, origin, network, description)
    # A foreign network keeps float32 weights, so that its scores stay exactly those it gave elsewhere.
    kernels = "float32" if description else spec_of(origin.architecture).kernels
    difference = save_bundle(network, card, folder, faces, kernels)
    return Imported(card, difference)


def _load(file: ModelFile, architecture: str | None, description: Description | None) -> tuple[keras.Model, Origin]:
    if description is not None:
        return load_foreign_model(file, description), Origin("imported", ("fer",))
    if file.kind in (Kind.KERAS, Kind.WEIGHTS):
        return load_registered_weights(file, architecture)
    if architecture not in (None, "seed-cnn"):
        raise ModelError(
            f"{file.path.name} is {file.kind.value}; {architecture} is read from a .keras or .weights.h5 "
            "file of Keras 3. Save it again with Keras 3."
        )
    try:
        return load_original_weights(file.path), Origin("seed-cnn", ("fer",))
    except ModelError as error:
        if file.kind is not Kind.LEGACY_MODEL:
            raise
        raise ModelError(
            f"{file.path.name} is a whole Keras model, but not the original script's. {DESCRIPTION_NEEDED}"
        ) from error


def _card(
    file: ModelFile, name: str, origin: Origin, network: keras.Model, description: Description | None
) -> ModelCard:
    source = {"imported_from": file.path.name, "sha256": sha256_of(file.path), "kind": file.kind.value}
    limits = [f"Imported from {file.path.name}: nothing is known of its training data."]
    architecture, parameters = origin.architecture, network.count_params()
    if description is None:
        return ModelCard(
            name, architecture, parameters, LABELS, training=source, limits=tuple(limits), label_sets=origin.label_sets
        )
    limits.append(f"Its input and labels are as described at import: {description}.")
    size = description.input_size
    return ModelCard(
        name,
        architecture,
        parameters,
        description.labels,
        input=f"48×48 gray, uint8 values 0 to 255; its first layers resize to {size}×{size} ({description.resize}) and "
        f"scale to {description.scale}",
        training={
            **source,
            "description": {
                "labels": list(description.labels),
                "input_size": size,
                "scale": description.scale,
                "resize": description.resize,
            },
        },
        limits=tuple(limits),
    )
