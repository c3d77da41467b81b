"""The teachers of a run: models, or finished runs, whose scores of the same changed face are part of the target.

A network learns more from how another one hesitates than from labels alone (Hinton et al., 2015), also where both
are of one shape and size (Furlanello et al., 2018); and more again where both see the very same view of a face
(Beyer et al., 2022).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_core.errors import RunError
from fer_core.evaluation.scoring import classifier_of, score
from fer_core.models.bundle import CARD_FILE, load_bundle
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.model_store import available_models, find_model
from fer_core.training.config import RunConfig
from fer_core.training.loop.initialization import known_of
from fer_core.training.run.store import find_run, list_runs

if TYPE_CHECKING:
    from fer_core.training.loop.batches import (
        Teacher,  # loads Keras, which a page that lists names must not
    )


def find_teacher(config: RunConfig) -> Teacher:
    """Return what scores faces as the models or runs `config.teachers` do: as the mean of them all and of each face
    and its mirror image, which is right more often than one of them and one view.

    Raises:
        FerError: there is no such model, it is not whole or has other labels, or it has trained on faces that this
            run keeps for measuring.
    """
    classifiers = [_classifier(name, config) for name in config.teachers]

    def scores(images: np.ndarray) -> np.ndarray:
        views = np.concatenate([images, images[:, :, ::-1]])
        own, mirrored = np.split(np.mean([score(classifier, views) for classifier in classifiers], axis=0), 2)
        return (own + mirrored) / 2

    return scores


def teachers() -> list[str]:
    """Return the names of all models and runs that can teach, models first."""
    models = available_models()
    return [*models, *(run.name for run in list_runs() if run.name not in models and _has_model(run.model_folder))]


def teacher_folders(config: RunConfig) -> list[Path]:
    """Return the folders of the models, or of the runs' models, that `config.teachers` names, there or not."""
    return [_folder(name) for name in config.teachers]


def _classifier(name: str, config: RunConfig) -> LiteRTClassifier:
    bundle = load_bundle(_folder(name))
    if known := known_of(bundle.card.training, config):
        raise RunError(
            f"The teacher {name} has trained on {known}; what it teaches would be measured on faces that it "
            "knows. Choose another teacher, or train on the same splits of the same data set."
        )
    return classifier_of(bundle)


def _folder(name: str) -> Path:
    if name in available_models():
        return find_model(name)
    run = find_run(name)  # a model's own folder holds no run, so a path can be of either
    return run.model_folder if _has_model(run.model_folder) else find_model(name)


def _has_model(folder: Path) -> bool:
    return (folder / CARD_FILE).is_file()
