"""The teachers of a run: models, or finished runs, whose scores of the same changed face are part of the target.

A network learns more from another one's scores than from labels alone (Hinton et al., 2015), even if both have the
same architecture (Furlanello et al., 2018), and more still if both see the same view of a face (Beyer et al., 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_core.emotions import LABELS
from fer_core.errors import ModelError, RunError
from fer_core.evaluation.scoring import classifier_of
from fer_core.models.bundle import CARD_FILE, Bundle, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.model_store import available_models, find_model
from fer_core.training.config import RunConfig
from fer_core.training.loop.initialization import known_of
from fer_core.training.run.store import find_run, list_runs

if TYPE_CHECKING:
    from fer_core.training.loop.batches import (
        Teacher,  # loads Keras, which a page that lists names must not
    )


def find_teacher(config: RunConfig, class_names: tuple[str, ...] = LABELS) -> Teacher:
    """Return a function that scores faces as the models or runs `config.teachers` do.

    Each label set of the run is taught by the teachers that answer for it: by the mean of their scores of each face and
    its mirror image, which is right more often than one of them and one view. A run with one label set is taught by
    every teacher; those that do not answer for it teach what they answer by default.

    Args:
        config: of the run.
        class_names: of its data set.

    Raises:
        FerError: there is no such model, it is not whole or has other classes, it has trained on faces that this
            run validates on, or none answers for a label set of the run.
    """
    bundles = [_bundle(name, config, class_names) for name in config.teachers]
    classifiers = [(bundle, classifier_of(bundle)) for bundle in bundles]
    only = config.label_sets[0] if len(config.label_sets) == 1 else None
    require_answers(config, [bundle.card.label_sets for bundle in bundles])

    def scores(images: np.ndarray) -> dict[str, np.ndarray]:
        views = np.concatenate([images, images[:, :, ::-1]])
        given: dict[str, list[np.ndarray]] = {label_set: [] for label_set in config.label_sets}
        for bundle, classifier in classifiers:
            answers = _classify_all(classifier, views, class_names)
            if only and only not in answers:
                given[only].append(answers[bundle.card.label_sets[0]])
            for label_set in answers.keys() & given.keys():
                given[label_set].append(answers[label_set])
        return {label_set: _of_both_views(parts) for label_set, parts in given.items() if parts}

    return scores


def require_answers(config: RunConfig, label_sets: Sequence[Sequence[str]]) -> None:
    """Check that the label sets of a run's teachers are some of its own.

    A run with one label set is taught by every teacher.

    Raises:
        RunError: none is.
    """
    answered = {name for some in label_sets for name in some}
    if label_sets and len(config.label_sets) > 1 and not answered & set(config.label_sets):
        raise RunError(f"No teacher answers for any of {', '.join(config.label_sets)}. Choose another teacher.")


def _classify_all(
    classifier: LiteRTClassifier, faces: np.ndarray, class_names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Return float32 (n, k) for each label set of the classifier, in the order of the class names, of (n, 48, 48)."""
    order = [classifier.labels.index(label) for label in class_names]
    return {label_set: scores[:, order] for label_set, scores in classifier.classify_all(faces).items()}


def _of_both_views(scores: list[np.ndarray]) -> np.ndarray:
    own, mirrored = np.split(np.mean(scores, axis=0), 2)
    return (own + mirrored) / 2


def teachers(class_names: tuple[str, ...] | None = LABELS) -> list[str]:
    """Return the names of all models and runs that can teach a data set of these classes, models first; all if None."""
    models = available_models()
    names = [*models, *(run.name for run in list_runs() if run.name not in models and _has_model(run.model_folder))]
    return [name for name in names if class_names is None or _knows(name, class_names)]


def _knows(name: str, class_names: tuple[str, ...]) -> bool:
    try:
        return set(ModelCard.load(_folder(name) / CARD_FILE).labels) == set(class_names)
    except ModelError:
        return True  # a damaged card is reported when the run starts


def teacher_folders(config: RunConfig) -> list[Path]:
    """Return the folders of the models, or of the runs' models, that `config.teachers` names, there or not."""
    return [_folder(name) for name in config.teachers]


def check_teachers(config: RunConfig, class_names: tuple[str, ...] | None = LABELS) -> None:
    """Check that all teachers of a run are there, whole and do not know the faces that it validates on.

    Args:
        config: of the run.
        class_names: of its data set; None if they are not known yet.

    Raises:
        FerError: one is not.
    """
    for name in config.teachers:
        _bundle(name, config, class_names)


def _bundle(name: str, config: RunConfig, class_names: tuple[str, ...] | None) -> Bundle:
    bundle = load_bundle(_folder(name))
    if class_names is not None and set(bundle.card.labels) != set(class_names):
        raise RunError(
            f"The teacher {name} knows {', '.join(bundle.card.labels)}; the data set has the classes "
            f"{', '.join(class_names)}. Choose another teacher."
        )
    if known := known_of(bundle.card.training, config, is_other_data=class_names is None):
        raise RunError(
            f"The teacher {name} has trained on {known}; what it teaches would be measured on faces that it "
            "knows. Choose another teacher, or train on the same splits of the same data set."
        )
    return bundle


def _folder(name: str) -> Path:
    if name in available_models():
        return find_model(name)
    run = find_run(name)  # a path can be that of a run or of a model, which holds no run
    return run.model_folder if _has_model(run.model_folder) else find_model(name)


def _has_model(folder: Path) -> bool:
    return (folder / CARD_FILE).is_file()
