"""Training networks that answer for several label sets: one trunk, and one head of softmax scores for each of them.

While such a network trains, the scores of all heads stand side by side, (n, 7 × heads), and so do the targets. A face
without a target in one label set has a row of zeros there, which has no share in that head's loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import keras
import numpy as np
from keras import layers, ops

from fer_core.emotions import LABELS
from fer_core.models.label_sets import SCORES, score_outputs
from fer_core.training.config import RunConfig

# Each head's weight in the loss. What people see is a mixture of the other two, which teach the trunk more.
LOSS_WEIGHTS: Mapping[str, float] = {"people": 0.5, "fer": 1.0, "votes": 1.0}
# The initial weights of a head that starts as a copy of another label set's: smaller scores are less decided, as
# people's votes are.
_COPIED_HEAD_SCALE = 0.5
_LEAST = 1e-7


def side_by_side(network: keras.Model, label_sets: tuple[str, ...]) -> keras.Model:
    """Return a network with the same layers whose output is the scores of all its heads, (n, 7 × heads)."""
    if len(label_sets) == 1:
        return network
    scores = [network.get_layer(name).output for name in score_outputs(label_sets).values()]
    return keras.Model(network.inputs[0], layers.Concatenate(dtype="float32", name="all_scores")(scores))


def columns(label_set: str, label_sets: tuple[str, ...]) -> slice:
    """Return where the scores and targets of a label set stand among those of all.

    >>> columns("votes", ("people", "fer", "votes"))
    slice(14, 21, None)
    """
    if len(label_sets) == 1:
        return slice(None)  # a data set without votes may have any number of classes
    start = label_sets.index(label_set) * len(LABELS)
    return slice(start, start + len(LABELS))


def weighed_columns(config: RunConfig) -> slice:
    """Return where the targets stand by which rare expressions are weighed: the labels' own, if there are any."""
    return columns("fer" if "fer" in config.label_sets else config.label_sets[0], config.label_sets)


def split_scores(scores: np.ndarray, label_sets: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return float (n, 7) for each label set, of scores or targets (n, 7 × heads)."""
    return {label_set: scores[:, columns(label_set, label_sets)] for label_set in label_sets}


def set_initial_weights(
    network: keras.Model,
    label_sets: tuple[str, ...],
    source: keras.Model,
    source_label_sets: tuple[str, ...],
    same_classes: bool = True,
) -> None:
    """Give `network` the weights of `source`, a network of the same architecture.

    If their classes differ, the head stays as it is: its scores mean something else.

    Heads take over the weights of the head for their own label set. One that `source` lacks starts with those of the
    default head, scaled down.
    """
    outputs, source_outputs = score_outputs(label_sets), score_outputs(source_label_sets)
    for ours, theirs in zip(_trunk(network, outputs.values()), _trunk(source, source_outputs.values()), strict=True):
        ours.assign(theirs)
    if not same_classes:
        return
    for label_set, name in outputs.items():
        known = label_set in source_outputs or len(label_sets) == 1
        head = source.get_layer(source_outputs.get(label_set, SCORES))
        scale = 1.0 if known else _COPIED_HEAD_SCALE
        network.get_layer(name).set_weights([scale * array for array in head.get_weights()])


def _trunk(network: keras.Model, head_names: Iterable[str]) -> list[keras.Variable]:
    heads = {id(variable) for name in head_names for variable in network.get_layer(name).weights}
    return [variable for variable in network.weights if id(variable) not in heads]


def build_loss(config: RunConfig) -> keras.losses.Loss:
    """Return the loss of a run: the cross-entropy of its head, or of all its heads by `LOSS_WEIGHTS`."""
    if len(config.label_sets) == 1:
        return keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)
    return _HeadsCrossentropy(config.label_sets)


def build_accuracy(config: RunConfig) -> keras.metrics.Metric | str:
    """Return the metric "accuracy": of the default head, over the faces that have a target there."""
    return "accuracy" if len(config.label_sets) == 1 else _DefaultHeadAccuracy()


def cross_entropy(targets: np.ndarray, scores: np.ndarray, label_sets: tuple[str, ...]) -> float:
    """Return the loss of scores (n, 7 × heads) without smoothing, a mean over the faces."""
    losses = -targets * np.log(np.clip(scores, _LEAST, 1))
    if len(label_sets) == 1:
        return float(losses.sum(axis=1).mean())
    per_head = split_scores(losses, label_sets)
    return float(sum(LOSS_WEIGHTS[name] * part.sum(axis=1).mean() for name, part in per_head.items()))


class _HeadsCrossentropy(keras.losses.Loss):
    def __init__(self, label_sets: tuple[str, ...]) -> None:
        super().__init__(name="loss")
        self._weights = np.repeat([LOSS_WEIGHTS[name] for name in label_sets], len(LABELS)).astype(np.float32)

    def call(self, y_true: object, y_pred: object) -> object:
        likelihood = ops.log(ops.clip(ops.cast(y_pred, "float32"), _LEAST, 1))
        return -ops.sum(self._weights * ops.cast(y_true, "float32") * likelihood, axis=-1)


class _DefaultHeadAccuracy(keras.metrics.Mean):
    def __init__(self) -> None:
        super().__init__(name="accuracy")

    def update_state(self, y_true: object, y_pred: object, sample_weight: object = None) -> None:
        targets, scores = y_true[:, : len(LABELS)], y_pred[:, : len(LABELS)]
        right = ops.equal(ops.argmax(targets, axis=-1), ops.argmax(scores, axis=-1))
        super().update_state(ops.cast(right, "float32"), ops.cast(ops.sum(targets, axis=-1) > 0, "float32"))


def smoothed(targets: np.ndarray, config: RunConfig) -> np.ndarray:
    """Return targets (n, 7 × heads) with those of the data set's labels smoothed; votes are soft by themselves.

    With one head, the loss smooths: then what teachers say is smoothed too.
    """
    if len(config.label_sets) == 1 or not config.label_smoothing:
        return targets
    targets, labels = targets.copy(), columns("fer", config.label_sets)
    targets[:, labels] = targets[:, labels] * (1 - config.label_smoothing) + config.label_smoothing / len(LABELS)
    return targets
