"""One network out of several: the weighted mean of their scores, as one Keras network, one LiteRT file and one card.

The app then serves the ensemble like any other model. Building it needs Keras, so it runs in a process of its own:

    python -m fer_core.models.ensemble RUN_OR_MODEL RUN_OR_MODEL … --out FOLDER --name accurate --faces faces.npy
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from fer_core import __version__
from fer_core.errors import ModelError
from fer_core.models.bundle import CARD_FILE, MODEL_FILE, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import FEATURES, LiteRTClassifier
from fer_core.models.convert import predict_scores, save_bundle, with_features
from fer_core.models.label_sets import score_outputs
from fer_core.models.registry import FACE_SIZE, KERNELS
from fer_core.models.timing import ms_per_face
from fer_core.models.weights import load_network

ARCHITECTURE = "ensemble"
# Of float32 sums in another order.
_MAX_KERAS_DIFFERENCE = 1e-4

# One weight for each member: the same for all label sets, or by label set.
Weights = Sequence[float] | Mapping[str, Sequence[float]]


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
    weights: Weights | None = None,
    mirror: bool = False,
    kernels: str = "int8",
) -> SavedEnsemble:
    """Write the mean of several trained networks to `folder` as one model.

    Args:
        members: folders of finished runs, or of models that have their Keras weights beside them.
        folder: where `model.tflite` and `card.json` go.
        faces: uint8 (n, 48, 48) on which the ensemble is checked against the mean of its members.
        name: of the model, for its card.
        weights: of the members, 0 or more, in their order; they need not sum to 1. Equal if None.
        mirror: whether scores are also averaged over the face and its mirror image, at twice the cost.
        kernels: how they are stored, see `fer_core.models.convert.to_litert`.

    Raises:
        ModelError: a member cannot be loaded, they do not fit together, or the scores differ from the mean.
    """
    loaded = [Member(load_network(path), ModelCard.load(path / CARD_FILE)) for path in members]
    label_sets = _common_label_sets([member.card for member in loaded])
    shares = _shares(weights, label_sets, len(loaded))
    network = build_ensemble(loaded, shares, mirror)
    _check_mean(network, loaded, shares, mirror, faces)
    card = _card(name, network, loaded, shares, mirror)
    difference = save_bundle(network, card, folder, faces, kernels)
    bundle = load_bundle(folder)
    classifier = LiteRTClassifier.from_bundle(bundle)
    return SavedEnsemble(bundle.card, difference, len(bundle.content), ms_per_face(classifier.classify, faces))


def build_ensemble(members: Sequence[Member], shares: Mapping[str, Sequence[float]], mirror: bool) -> keras.Model:
    """Return one network that gives the mean scores of several, and all their features side by side.

    Args:
        members: the trained networks, at least one.
        shares: by label set, the default first, the share of each member in the mean; they sum to 1.
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
    for label_set, output in score_outputs(tuple(shares)).items():
        weighted = [
            answer[member.card.output_of(label_set)] * share
            for member, answer, share in zip(members, answers, shares[label_set], strict=True)
        ]
        outputs[output] = _mean_of_views(layers.Add()(weighted) if len(weighted) > 1 else weighted[0], mirror)
    features = [answer[FEATURES] for answer in answers]
    joined = layers.Concatenate()(features) if len(features) > 1 else features[0]
    outputs[FEATURES] = _mean_of_views(joined, mirror)
    return keras.Model(faces, outputs, name=ARCHITECTURE)


def mean_scores(
    members: Sequence[Member], shares: Mapping[str, Sequence[float]], mirror: bool, faces: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the weighted mean of the members' own scores by label set, float32 (n, 7), of faces uint8 (n, 48, 48)."""
    views = [faces, faces[:, :, ::-1]] if mirror else [faces]
    scores = [[predict_scores(member.network, view) for view in views] for member in members]
    return {
        label_set: np.sum(
            [
                share * np.mean([view[member.card.output_of(label_set)] for view in of_member], axis=0)
                for member, of_member, share in zip(members, scores, shares[label_set], strict=True)
            ],
            axis=0,
        ).astype(np.float32)
        for label_set in shares
    }


def _mean_of_views(values: keras.KerasTensor, mirror: bool) -> keras.KerasTensor:
    # (2 n, k), all faces and then all mirror images, to (2, n, k) to (n, k)
    return ops.mean(ops.reshape(values, (2, -1, values.shape[-1])), axis=0) if mirror else values


def _common_label_sets(cards: Sequence[ModelCard]) -> tuple[str, ...]:
    """Return the label sets that all members answer for, in the first one's order, after checking that they fit."""
    if not cards:
        raise ModelError("Expected the folders of trained networks; got none.")
    first = cards[0]
    common = tuple(name for name in first.label_sets if all(name in card.label_sets for card in cards))
    if not common:
        answers = "; ".join(f"{card.name}: {', '.join(card.label_sets)}" for card in cards)
        raise ModelError(f"Expected networks that answer for a common label set; got {answers}.")
    for card in cards:
        if card.labels != first.labels:
            raise ModelError(f"{card.name} has its labels in another order than {first.name}. Convert one of them.")
        if card.data.get("sha256") != first.data.get("sha256"):
            raise ModelError(
                f"{card.name} was trained on another data set than {first.name}: nobody could tell which faces the "
                "ensemble has not seen. Choose networks trained on the same data set."
            )
    return common


def _shares(weights: Weights | None, label_sets: Sequence[str], count: int) -> dict[str, list[float]]:
    """Return the shares of the members by label set; each row sums to 1."""
    by_set = weights if isinstance(weights, Mapping) else {name: weights or [1.0] * count for name in label_sets}
    if set(by_set) != set(label_sets):
        raise ModelError(f"Expected weights for {', '.join(label_sets)}; got them for {', '.join(by_set)}.")
    shares = {}
    for name in label_sets:
        values = [float(value) for value in by_set[name]]
        if len(values) != count or min(values) < 0 or not sum(values) > 0:
            raise ModelError(f"Expected {count} weights of 0 or more, not all 0, for {name}; got {values}.")
        shares[name] = [value / sum(values) for value in values]
    return shares


def _check_mean(
    network: keras.Model,
    members: Sequence[Member],
    shares: Mapping[str, Sequence[float]],
    mirror: bool,
    faces: np.ndarray,
) -> None:
    scores, expected = predict_scores(network, faces), mean_scores(members, shares, mirror, faces)
    difference = max(
        float(np.abs(scores[output] - expected[label_set]).max())
        for label_set, output in score_outputs(tuple(shares)).items()
    )
    if not difference <= _MAX_KERAS_DIFFERENCE:
        raise ModelError(
            f"The scores of the ensemble differ by {difference:.2g} from the mean of its members; expected at most "
            f"{_MAX_KERAS_DIFFERENCE:.2g}."
        )


def _card(
    name: str, network: keras.Model, members: Sequence[Member], shares: Mapping[str, Sequence[float]], mirror: bool
) -> ModelCard:
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
    training |= {"shares": {key: list(row) for key, row in shares.items()}, "mirror": mirror, "fer_core": __version__}
    return ModelCard(
        name=name,
        architecture=ARCHITECTURE,
        parameters=network.count_params(),
        labels=cards[0].labels,
        data=cards[0].data,
        training=training,
        label_sets=tuple(shares),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Write an ensemble and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m fer_core.models.ensemble", description=__doc__.splitlines()[0])
    parser.add_argument("members", type=Path, nargs="+", help="folders of finished runs, or of models with weights.npz")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model to write")
    parser.add_argument("--faces", type=Path, required=True, help=".npy with gray faces to check on, (n, 48, 48)")
    parser.add_argument("--name", default="accurate", help="of the model (default: %(default)s)")
    parser.add_argument("--weights", type=float, nargs="+", help="one for each member (default: equal)")
    parser.add_argument("--mirror", action="store_true", help="also average over the face and its mirror image")
    parser.add_argument("--kernels", choices=KERNELS, default="int8", help="default: %(default)s")
    options = parser.parse_args(arguments)
    faces = np.load(options.faces, allow_pickle=False)
    saved = save_ensemble(
        options.members, options.out, faces, options.name, options.weights, options.mirror, options.kernels
    )
    card = saved.card
    print(
        f"Wrote {options.out / MODEL_FILE}: {card.parameters / 1e6:.2f} M parameters, {saved.bytes / 1e6:.2f} MB, "
        f"{saved.ms_per_face:.2f} ms a face, label sets {', '.join(card.label_sets)}; largest difference from the mean "
        f"of its members on {len(faces)} faces {saved.difference:.1g}."
    )


if __name__ == "__main__":
    main()
