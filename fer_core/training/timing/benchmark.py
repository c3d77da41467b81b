"""How long an epoch will take here, measured on a few batches."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import keras
import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.face_size import FACE_SIZE
from fer_core.training.config import RunConfig
from fer_core.training.loop.precision import precision
from fer_core.training.loop.result_network import ResultNetwork
from fer_core.training.loop.trainer import device_description, prepare

# The first steps hold the compiling, and reach full speed only when the pipeline is filled.
_WARM_UP_STEPS = 3
_STEPS = 40
_LIMIT_S = 6.0
_VALIDATED = 1024


class _Clock(keras.callbacks.Callback):
    """Times the steps after the first few, over as many epochs as that takes, and ends the fit."""

    def __init__(self) -> None:
        super().__init__()
        self.step_s, self._steps, self._began_s = 0.0, 0, 0.0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        now_s = time.perf_counter()
        self._steps += 1
        measured = self._steps - _WARM_UP_STEPS
        if measured <= 0:
            self._began_s = now_s
            return
        self.step_s = (now_s - self._began_s) / measured
        if measured == _STEPS or now_s - self._began_s > _LIMIT_S:
            self.model.stop_training = True


def measure_throughput(faces: FaceSet, config: RunConfig) -> dict[str, Any]:
    """Train for a few seconds, on faces of whole size, and forget it.

    Returns:
        `device` in words, `step_s`, `images_per_s`, `epoch_s` (steps and validation of an average epoch) and
        `steps_per_epoch`.
    """
    cost = config.relative_cost
    config = dataclasses.replace(config, initial_size=FACE_SIZE)
    with precision(config.precision):
        model, batches, validation = prepare(faces, config)
        images = validation.images
        clock = _Clock()
        model.fit(batches, shuffle=False, epochs=_WARM_UP_STEPS + _STEPS, verbose=0, callbacks=[clock])
        network = ResultNetwork(config.architecture, config.label_sets, batches, len(faces.class_names))
        few = np.resize(images, (min(len(images), _VALIDATED), *images.shape[1:]))
        network.predict(few[:256])
        began_s = time.perf_counter()
        network.predict(few)
        validation_s = (time.perf_counter() - began_s) * len(images) / len(few)
    return {
        "device": device_description(),
        "step_s": clock.step_s,
        "images_per_s": config.batch_size / clock.step_s,
        "epoch_s": (clock.step_s * len(batches) + validation_s) * cost,
        "steps_per_epoch": len(batches),
    }
