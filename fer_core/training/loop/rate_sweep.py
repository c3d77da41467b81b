"""Train a fresh network on a few batches at rising learning rates, and forget it."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from fer_core.background.steps import Steps, log_steps
from fer_core.data.face_set import FaceSet
from fer_core.training.config import RunConfig
from fer_core.training.learning_rate import HIGHEST_RATE, LOWEST_RATE, SWEEP_STEPS, RateSweep, smoothed_losses
from fer_core.training.loop.batches import Batches
from fer_core.training.loop.heads import build_loss, set_initial_weights
from fer_core.training.loop.initialization import find_initial_weights
from fer_core.training.loop.optimizer import build_optimizer
from fer_core.training.loop.precision import precision
from fer_core.training.loop.trainer import prepare

# The sweep ends where the smoothed loss is so many times its lowest: beyond, training only diverges further.
_DIVERGED = 4.0


def sweep_learning_rates(
    faces: FaceSet, config: RunConfig, count: int = SWEEP_STEPS, steps: Steps = log_steps
) -> RateSweep:
    """Train on `count` batches of a configuration, as it would, while the learning rate rises exponentially.

    Args:
        faces: its data set.
        config: its own learning rate and schedule do not matter; its initial weights do.
        count: steps at most; fewer if the loss diverges.
        steps: called as each step begins.

    Raises:
        FerError: the configuration cannot be trained.
    """
    # A hundred steps one by one are no work for a graphics processor's own path.
    config = dataclasses.replace(config, augment_on="host")
    with precision(config.precision):
        model, batches, _ = prepare(faces, config)
        if config.start_from:
            source = find_initial_weights(config, faces.class_names)
            same_classes = source.class_names == faces.class_names
            set_initial_weights(model, config.label_sets, source.network(), source.label_sets, same_classes)
        factor = (HIGHEST_RATE / LOWEST_RATE) ** (1 / (count - 1))
        schedule = keras.optimizers.schedules.ExponentialDecay(LOWEST_RATE, 1, factor)
        model.compile(optimizer=build_optimizer(config, len(batches), schedule), loss=build_loss(config))
        losses = _train(model, batches, count, steps)
    return RateSweep(tuple(LOWEST_RATE * factor**step for step in range(len(losses))), tuple(losses))


def _train(model: keras.Model, batches: Batches, count: int, steps: Steps) -> list[float]:
    """Return the loss of each batch until it diverges."""
    # The last batch of an epoch holds what remains: its loss would be noisier than the others.
    per_epoch = max(1, len(batches.images) // batches.batch_size)
    losses: list[float] = []
    for step in range(count):
        steps(step, count, "training at rising rates")
        epoch, index = divmod(step, per_epoch)
        if index == 0:
            batches.start_epoch(epoch)
        model.reset_metrics()  # what train_on_batch returns is otherwise a mean over all steps
        loss = float(np.ravel(model.train_on_batch(*batches[index]))[0])
        if not np.isfinite(loss):
            break
        losses.append(loss)
        smoothed = smoothed_losses(losses)
        if smoothed[-1] > _DIVERGED * smoothed.min():
            break
    return losses
