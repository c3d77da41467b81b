"""The initial weights of a run, if they are not random: those of a run or a model of the same network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.data.fingerprint import FINGERPRINT_FILE, load_fingerprint
from fer_core.emotions import LABELS
from fer_core.errors import ModelError, RunError
from fer_core.models.bundle import CARD_FILE, WEIGHTS_FILE
from fer_core.models.card import ModelCard
from fer_core.models.label_sets import trained_label_sets
from fer_core.models.model_store import available_models, folder_of
from fer_core.models.registry import build
from fer_core.trained_on import training_fingerprint
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.store import broken_runs, find_run, list_runs

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class InitialWeights:
    """A trained network to start from.

    Attributes:
        name: of the run or the model.
        folder: its folder.
        is_run: whether it is a run; otherwise it is a model.
        training: its configuration and, if it is finished, what its training took.
        class_names: of its scores, in their order.
    """

    name: str
    folder: Path
    is_run: bool
    training: Mapping[str, Any]
    class_names: tuple[str, ...] = LABELS

    def network(self) -> keras.Model:
        """Return it with its weights, float32.

        Raises:
            FerError: they are missing or do not fit.
        """
        from fer_core.models.weights import load_network  # loads Keras, which a page that lists names must not

        if not self.is_run:
            return load_network(self.folder)
        path = RunFolder(self.folder).weights_file
        if not path.exists():
            raise RunError(f"The run {self.name} has no weights yet: {path} is missing.")
        network = build(self.training["architecture"], label_sets=self.label_sets, classes=len(self.class_names))
        network.load_weights(path)
        return network

    def fingerprint(self) -> np.ndarray | None:
        """Return the hashes of the images that it was trained on, uint64 (m,), or None if they are not known.

        Raises:
            DataError: the file that lists them is damaged.
        """
        if self.is_run and (self.folder / FINGERPRINT_FILE).exists():
            return load_fingerprint(self.folder)
        card = self.folder / CARD_FILE
        return training_fingerprint(ModelCard.load(card)) if card.exists() else None

    @property
    def label_sets(self) -> tuple[str, ...]:
        """The label sets that it answers for, the default first."""
        return trained_label_sets(self.training.get("label_set", "fer"))


def find_initial_weights(config: RunConfig, class_names: tuple[str, ...] | None = None) -> InitialWeights:
    """Return what `config.start_from` names.

    Args:
        config: of the run that starts.
        class_names: of its data set; None if they are not known yet.

    Raises:
        RunError: there is none of this name, it is another network, or it has trained on faces that this run
            does not train on.
    """
    source = _named(config.start_from)
    if (theirs := source.training.get("architecture")) != config.architecture:
        raise RunError(
            f"{source.name} is the network {theirs}; a run of {config.architecture} cannot start with its weights."
        )
    is_other_data = class_names is None or class_names != source.class_names
    if known := known_of(source.training, config, is_other_data):
        raise RunError(
            f"{source.name} has trained on {known}; a run that starts with its weights would be measured on "
            "faces that it knows. Train on the same splits of the same data set."
        )
    return source


def known_of(training: Mapping[str, Any], config: RunConfig, is_other_data: bool = False) -> str:
    """Return as text what a network has trained on that a run of `config` does not train on; empty if nothing.

    Args:
        training: how the network was trained, from its card.
        config: of the run that starts from the network or is taught by it.
        is_other_data: whether both data sets have different classes, and so different faces.
    """
    theirs = set(training.get("train_splits", ()))
    if unseen := theirs - set(config.train_splits):
        return ", ".join(sorted(unseen))
    held_out = not is_other_data and "Validation" in config.validation_splits and "Training" in theirs
    # Validation is held out of Training; in another data set, the same faces may still be in Training.
    return "what is Validation here" if held_out and training.get("data") != config.data else ""


def initial_weight_sources(architecture: str) -> list[str]:
    """Return the names of all runs and models whose weights a run of `architecture` can start with, models first."""
    models = [
        name
        for name in available_models()
        if (folder_of(name) / WEIGHTS_FILE).is_file() and _architecture_of(folder_of(name)) == architecture
    ]
    runs = list_runs()
    broken = broken_runs(runs)
    return models + [
        run.name
        for run in runs
        if run.name not in (*broken, *models)
        and run.config().architecture == architecture
        and run.weights_file.exists()
    ]


def _architecture_of(folder: Path) -> str | None:
    try:
        return ModelCard.load(folder / CARD_FILE).architecture
    except ModelError:
        return None  # an altered card is reported where models are chosen


def _named(name: str) -> InitialWeights:
    # A name means what a page lists under it: a model, if it has Keras weights, before a run.
    if name in available_models() and (folder_of(name) / WEIGHTS_FILE).is_file():
        return _of_model(name)
    run = find_run(name)
    if run.config_file.exists():
        card = ModelCard.load(run.card_file).training if run.card_file.exists() else {}
        return InitialWeights(run.name, run.path, True, {**run.config().to_dict(), **card}, run.class_names())
    if name in available_models():
        return _of_model(name)
    raise RunError(f"No run and no model is named {name!r}. Name one that exists, or start with random weights.")


def _of_model(name: str) -> InitialWeights:
    card = ModelCard.load(folder_of(name) / CARD_FILE)
    return InitialWeights(name, folder_of(name), False, card.training, card.labels)
