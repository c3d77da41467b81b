"""Teachers that answer where the network trains, as Keras networks; `distillation` asks them in LiteRT instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import ops

from fer_core.errors import RunError
from fer_core.models.bundle import CARD_FILE, WEIGHTS_FILE
from fer_core.models.card import ModelCard
from fer_core.models.model_store import available_models, find_model
from fer_core.models.weights import load_network
from fer_core.training.config import RunConfig
from fer_core.training.loop.distillation import check_teachers, require_answers
from fer_core.training.loop.heads import columns, side_by_side
from fer_core.training.loop.precision import precision
from fer_core.training.run.store import find_run


@dataclass(frozen=True, eq=False)
class TeacherNetwork:
    """A trained network.

    Attributes:
        network: from faces (n, 48, 48, 1), 0 to 255, to the scores of all its label sets side by side, float32.
        label_sets: those that it answers for, the default first.
        order: where the scores of the run's classes stand among its own.
    """

    network: keras.Model
    label_sets: tuple[str, ...]
    order: tuple[int, ...]

    def weights(self) -> list[list[Any]]:
        """Return its variables' values, those that could be trained and the others."""
        variables = self.network.trainable_variables, self.network.non_trainable_variables
        return [[ops.convert_to_tensor(variable) for variable in some] for some in variables]

    def scores(self, weights: list[list[Any]], faces: Any) -> dict[str, Any]:
        """Return scores, (n, classes), for each label set, of faces float32 (n, 48, 48, 1).

        Each is the mean over the face and its mirror image.
        """
        views = ops.concatenate([faces, ops.flip(faces, axis=2)], axis=0)
        scores, _ = self.network.stateless_call(*weights, views, training=False)
        own, mirrored = ops.split(scores, 2, axis=0)
        mean = (own + mirrored) / 2
        by_set = {name: mean[:, columns(name, self.label_sets)] for name in self.label_sets}
        return {name: ops.take(part, list(self.order), axis=1) for name, part in by_set.items()}


def find_networks(config: RunConfig, class_names: tuple[str, ...]) -> list[TeacherNetwork]:
    """Return the networks of a run's teachers.

    Raises:
        FerError: one cannot teach this run, see `find_teacher`, or has no Keras weights.
    """
    check_teachers(config, class_names)
    networks = []
    for name in config.teachers:
        folder = weights_folder(name)
        if folder is None:
            raise RunError(
                f"The teacher {name} cannot be asked on the device: it has no Keras weights, only the LiteRT file of "
                "the app. Choose another teacher, or --augment-on host."
            )
        card = ModelCard.load(folder / CARD_FILE)
        with precision("float32"):  # as they answer in the app, whatever the run trains in
            network = side_by_side(load_network(folder), card.label_sets)
        order = tuple(card.labels.index(label) for label in class_names)
        networks.append(TeacherNetwork(network, card.label_sets, order))
    require_answers(config, [network.label_sets for network in networks])
    return networks


def weights_folder(name: str) -> Path | None:
    """Return the folder with the card and the Keras weights of a model or a run; None if it has no such weights."""
    if name in available_models():
        folder = find_model(name)
        return folder if (folder / WEIGHTS_FILE).is_file() else None
    run = find_run(name)
    if run.config_file.exists():
        return run.path if run.card_file.is_file() and run.weights_file.is_file() else None
    return Path(name) if (Path(name) / WEIGHTS_FILE).is_file() else None
