"""The optimizer that a configuration says, and the averaged weights it keeps."""

from __future__ import annotations

import keras
import numpy as np

from fer_core.training.config import RunConfig


def build_optimizer(
    config: RunConfig,
    steps_per_epoch: int,
    schedule: keras.optimizers.schedules.LearningRateSchedule | None = None,
) -> keras.optimizers.Optimizer:
    """Return the optimizer with its schedule, or another one, its weight decay and averaged weights."""
    common = {
        "learning_rate": schedule or _schedule(config, steps_per_epoch),
        "weight_decay": config.weight_decay or None,
        "use_ema": config.ema > 0,
        "ema_momentum": config.ema or 0.99,
    }
    if config.optimizer == "sgd-nesterov":
        optimizer = keras.optimizers.SGD(momentum=0.9, nesterov=True, **common)
    elif config.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(**{**common, "weight_decay": config.weight_decay})
    else:
        optimizer = keras.optimizers.Adam(**common)
    if config.weight_decay:
        # Pulling biases and the scales of normalisation towards 0 does not regularise, it only distorts.
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def averaged_weights(model: keras.Model) -> list[np.ndarray]:
    """Return all weights of a compiled model, with averages in place of the trainable ones if it keeps averages."""
    if not model.optimizer.use_ema:
        return model.get_weights()
    own = model.get_weights()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    averaged = model.get_weights()
    model.set_weights(own)
    return averaged


def _schedule(config: RunConfig, steps_per_epoch: int) -> keras.optimizers.schedules.LearningRateSchedule:
    schedules = keras.optimizers.schedules
    if config.schedule == "cosine":
        schedule = schedules.CosineDecay(config.learning_rate, decay_steps=config.epochs * steps_per_epoch)
    else:
        # Keras 3 ignores Adam(decay=...) with only a warning; this schedule is what it meant.
        decay = config.decay_per_step if config.schedule == "inverse-time" else 0.0
        schedule = schedules.InverseTimeDecay(config.learning_rate, decay_steps=1, decay_rate=decay)
    return _WarmUp(schedule, config.warmup_epochs * steps_per_epoch) if config.warmup_epochs else schedule


class _WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Multiplies a schedule by a share that rises from 0 to 1 over the first steps."""

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, steps: int) -> None:
        self._inner, self._steps = schedule, steps

    def __call__(self, step: object) -> object:
        share = (keras.ops.cast(step, "float32") + 1) / self._steps
        return self._inner(step) * keras.ops.minimum(share, 1.0)
