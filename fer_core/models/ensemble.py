"""One network out of several: the weighted mean of their scores, as one Keras network, one LiteRT file and one card.

The app then serves the ensemble like any other model. Building it needs Keras, so it runs in a process of its own:
`fer ensemble`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from fer_core import __version__
from fer_core.errors import ModelError
from fer_core.face_size import FACE_SIZE
from fer_core.files import read_json
from fer_core.models.bundle import CARD_FILE, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import FEATURES, LiteRTClassifier
from fer_core.models.convert import predict_scores, save_bundle, with_features
from fer_core.models.label_sets import require_label_set, score_outputs
from fer_core.models.temperature import Temperature
from fer_core.models.timing import ms_per_face
from fer_core.models.weights import load_network

ARCHITECTURE = "ensemble"
# Of float32 sums in another order.
_MAX_KERAS_DIFFERENCE = 1e-4

_LEAST_SCORE = 1e-9


@dataclass(frozen=True)
class Term:
    """What one member adds to the scores of a label set.

    Attributes:
        member: its number, from 0.
        label_set: of the member, whose scores are taken.
        weight: share of these scores in the mean, 0 to 1.
        temperature: that the member's logits are divided by first; below 1 makes its scores more decided.
    """

    member: int
    label_set: str
    weight: float
    temperature: float = 1.0


# By label set of the ensemble, the default first: what its scores are the mean of. The weights of each sum to 1.
Recipe = Mapping[str, Sequence[Term]]


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network of an ensemble.

    Attributes:
        network: takes faces (n, 48, 48, 1), 0 to 255, and is what `with_features` takes.
        card: its card; label sets and label order are read from it.
    """

    network: keras.Model
    card: ModelCard


@dataclass(frozen=True)
class SavedEnsemble:
    """A written ensemble.

    Attributes:
        card: of the ensemble.
        difference: largest difference between its scores in LiteRT and the mean of its members' in Keras, 0 to 1.
        bytes: size of the LiteRT file.
        ms_per_face: median time of one call with one face on this machine, milliseconds.
    """

    card: ModelCard
    difference: float
    bytes: int
    ms_per_face: float


def save_ensemble(
    members: Sequence[Path],
    folder: Path,
    faces: np.ndarray,
    name: str = "accurate",
    recipe: Recipe | None = None,
    mirror: bool = False,
    kernels: str = "int8",
) -> SavedEnsemble:
    """Write the mean of several trained networks to `folder` as one model.

    Args:
        members: folders of finished runs, or of models that have their Keras weights beside them.
        folder: where `model.tflite` and `card.json` go.
        faces: uint8 (n, 48, 48) on which the ensemble is checked against the mean of its members.
        name: of the model, for its card.
        recipe: what the scores of each label set are the mean of. If None, the label sets that all members answer
            for, each member with the same weight.
        mirror: whether scores are also averaged over the face and its mirror image, at twice the cost.
        kernels: how they are stored, see `fer_core.models.convert.to_litert`.

    Raises:
        ModelError: a member cannot be loaded, they do not fit together, or the scores differ from the mean.
    """
    loaded = [Member(load_network(path), ModelCard.load(path / CARD_FILE)) for path in members]
    cards = [member.card for member in loaded]
    _check_members(cards)
    recipe = equal_recipe(cards) if recipe is None else _checked_recipe(recipe, cards)
    network = build_ensemble(loaded, recipe, mirror)
    _check_mean(network, loaded, recipe, mirror, faces)
    card = _card(name, network, loaded, recipe, mirror)
    difference = save_bundle(network, card, folder, faces, kernels)
    bundle = load_bundle(folder)
    classifier = LiteRTClassifier.from_bundle(bundle)
    return SavedEnsemble(bundle.card, difference, len(bundle.content), ms_per_face(classifier.classify, faces))


def build_ensemble(members: Sequence[Member], recipe: Recipe, mirror: bool) -> keras.Model:
    """Return one network that gives the mean scores of several, and all their features side by side.

    Args:
        members: the trained networks, at least one.
        recipe: what the scores of each label set are the mean of.
        mirror: whether the mean is also over the face and its mirror image.

    Returns:
        A network from faces (n, 48, 48, 1), 0 to 255, to `scores`, those of other label sets, (n, 7) each, and
        `features` (n, d), d the sum of the members'.
    """
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name="face")
    views = ops.concatenate([faces, ops.flip(faces, axis=2)], axis=0) if mirror else faces  # (n or 2 n, 48, 48, 1)
    answers = []
    for number, member in enumerate(members, 1):
        network = with_features(member.network)
        answers.append(keras.Model(network.inputs[0], network.output, name=f"member{number}")(views))
    outputs = {}
    for label_set, output in score_outputs(tuple(recipe)).items():
        weighted = [
            _sharpened(answers[term.member][members[term.member].card.output_of(term.label_set)], term.temperature)
            * term.weight
            for term in recipe[label_set]
        ]
        outputs[output] = _mean_of_views(layers.Add()(weighted) if len(weighted) > 1 else weighted[0], mirror)
    features = [answer[FEATURES] for answer in answers]
    joined = layers.Concatenate()(features) if len(features) > 1 else features[0]
    outputs[FEATURES] = _mean_of_views(joined, mirror)
    return keras.Model(faces, outputs, name=ARCHITECTURE)


def mean_scores(members: Sequence[Member], recipe: Recipe, mirror: bool, faces: np.ndarray) -> dict[str, np.ndarray]:
    """Return the weighted mean of the members' own scores by label set, float32 (n, 7), of faces uint8 (n, 48, 48)."""
    views = [faces, faces[:, :, ::-1]] if mirror else [faces]
    scores = [[predict_scores(member.network, view) for view in views] for member in members]

    def of_term(term: Term) -> np.ndarray:
        output, temperature = members[term.member].card.output_of(term.label_set), Temperature(term.temperature)
        return term.weight * np.mean([temperature.apply(view[output]) for view in scores[term.member]], axis=0)

    return {
        name: np.sum([of_term(term) for term in terms], axis=0).astype(np.float32) for name, terms in recipe.items()
    }


def _sharpened(scores: keras.KerasTensor, temperature: float) -> keras.KerasTensor:
    if temperature == 1:
        return scores
    return ops.softmax(ops.log(ops.maximum(scores, _LEAST_SCORE)) / temperature)


def _mean_of_views(values: keras.KerasTensor, mirror: bool) -> keras.KerasTensor:
    # (2 n, k), all faces and then all mirror images, to (2, n, k) to (n, k)
    return ops.mean(ops.reshape(values, (2, -1, values.shape[-1])), axis=0) if mirror else values


def equal_recipe(cards: Sequence[ModelCard]) -> dict[str, list[Term]]:
    """Return the plain mean of all members for each label set that all of them answer for.

    Raises:
        ModelError: there is none.
    """
    common = [name for name in cards[0].label_sets if all(name in card.label_sets for card in cards)]
    if not common:
        answers = "; ".join(f"{card.name}: {', '.join(card.label_sets)}" for card in cards)
        raise ModelError(f"Expected networks that answer for a common label set; got {answers}.")
    return {name: [Term(number, name, 1 / len(cards)) for number in range(len(cards))] for name in common}


def _check_members(cards: Sequence[ModelCard]) -> None:
    if not cards:
        raise ModelError("Expected the folders of trained networks; got none.")
    first = cards[0]
    for card in cards:
        if card.labels != first.labels:
            raise ModelError(f"{card.name} has its labels in another order than {first.name}. Convert one of them.")
        if card.data.get("sha256") != first.data.get("sha256"):
            raise ModelError(
                f"{card.name} was trained on another data set than {first.name}: nobody could tell which faces the "
                "ensemble has not seen. Choose networks trained on the same data set."
            )


def _checked_recipe(recipe: Recipe, cards: Sequence[ModelCard]) -> dict[str, list[Term]]:
    """Return the recipe with weights that sum to 1 for each label set."""
    checked = {}
    for name, terms in recipe.items():
        for term in terms:
            if not 0 <= term.member < len(cards):
                raise ModelError(f"Expected a member from 0 to {len(cards) - 1} for {name}; got {term.member}.")
            if not (term.weight >= 0 and term.temperature > 0):
                raise ModelError(f"Expected weights of 0 or more and temperatures above 0 for {name}; got {term}.")
            require_label_set(term.label_set, cards[term.member].label_sets, cards[term.member].name)
        total = sum(term.weight for term in terms)
        if not total > 0:
            raise ModelError(f"Expected weights of 0 or more, not all 0, for {name}; got {list(terms)}.")
        checked[name] = [replace(term, weight=term.weight / total) for term in terms]
    return checked


def _check_mean(
    network: keras.Model,
    members: Sequence[Member],
    recipe: Recipe,
    mirror: bool,
    faces: np.ndarray,
) -> None:
    scores, expected = predict_scores(network, faces), mean_scores(members, recipe, mirror, faces)
    difference = max(
        float(np.abs(scores[output] - expected[label_set]).max())
        for label_set, output in score_outputs(tuple(recipe)).items()
    )
    if not difference <= _MAX_KERAS_DIFFERENCE:
        raise ModelError(
            f"The scores of the ensemble differ by {difference:.2g} from the mean of its members; expected at most "
            f"{_MAX_KERAS_DIFFERENCE:.2g}."
        )


def _card(name: str, network: keras.Model, members: Sequence[Member], recipe: Recipe, mirror: bool) -> ModelCard:
    cards = [member.card for member in members]
    training: dict[str, Any] = {
        key: sorted({split for card in cards for split in card.training.get(key, ())})
        for key in ("train_splits", "validation_splits")
        if all(key in card.training for card in cards)
    }
    if corrections := [card.training["corrections"] for card in cards if card.training.get("corrections")]:
        training["corrections"] = corrections[0]
    training["members"] = [
        {
            "name": card.name,
            "architecture": card.architecture,
            "parameters": card.parameters,
            "files": dict(card.files),
            "training": dict(card.training),
        }
        for card in cards
    ]
    training |= {
        "recipe": {key: [asdict(term) for term in terms] for key, terms in recipe.items()},
        "mirror": mirror,
        "fer_core": __version__,
    }
    return ModelCard(
        name=name,
        architecture=ARCHITECTURE,
        parameters=network.count_params(),
        labels=cards[0].labels,
        data=cards[0].data,
        training=training,
        label_sets=tuple(recipe),
    )


def read_recipe(path: Path) -> dict[str, list[Term]]:
    """Read a recipe from JSON: by label set, the default first, a list of objects with the fields of `Term`.

    Raises:
        ModelError: the file does not hold one.
    """
    try:
        return {name: [Term(**term) for term in terms] for name, terms in read_json(path).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is not a recipe: {error}. Expected, for example, "
            '{"people": [{"member": 0, "label_set": "fer", "weight": 1}]}.'
        ) from error
