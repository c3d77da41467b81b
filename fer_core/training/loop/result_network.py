"""The network as it is measured and saved, apart from the one that trains.

It has the averaged weights, if the run keeps averages, and no optimizer, so that its files hold
the weights and nothing else, and measuring it cannot disturb training.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from fer_core.emotions import LABELS
from fer_core.face_size import FACE_SIZE
from fer_core.models.registry import build, resizable
from fer_core.training.loop.batches import Batches
from fer_core.training.loop.heads import side_by_side, split_scores
from fer_core.training.loop.optimizer import averaged_weights
from fer_core.training.loop.precision import precision

_RECALIBRATION_STEPS = 20
_BATCH = 256


class ResultNetwork:
    """An untrained copy of the network in training, which takes over its weights."""

    def __init__(
        self,
        architecture: str,
        label_sets: tuple[str, ...],
        batches: Batches | None = None,
        classes: int = len(LABELS),
    ) -> None:
        """Args:
        architecture: its name in the registry.
        label_sets: what it answers for, the default first.
        batches: what is trained on, which `take` needs: averaged weights need batch statistics of their own.
        classes: number of scores of each label set.
        """
        self._label_sets = label_sets
        with precision("float32"):  # what is kept and measured, whatever it was trained in
            size = None if resizable(architecture) else FACE_SIZE
            self.model = build(architecture, size, label_sets, classes)
            self._side_by_side = side_by_side(self.model, label_sets)
        self._batches = batches
        self._normalizations = [
            layer for layer in _layers(self.model) if isinstance(layer, keras.layers.BatchNormalization)
        ]

    def take(self, trained: keras.Model) -> None:
        """Take over the weights, averaged if the optimizer of `trained` keeps averages."""
        self._side_by_side.set_weights(averaged_weights(trained))
        if trained.optimizer.use_ema and self._normalizations:
            self._recalibrate()

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return float32 (n, classes × label sets), the scores of faces uint8 (n, size, size) side by side."""
        return self._side_by_side.predict(images[..., None], batch_size=_BATCH, verbose=0)

    def predict_all(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return float32 (n, classes) scores for each label set, of faces uint8 (n, size, size)."""
        return split_scores(self.predict(images), self._label_sets)

    def save_weights(self, path: Path) -> None:
        """Write the weights, 4 bytes each, to `path`, which ends in .weights.h5."""
        self.model.save_weights(path)

    def _recalibrate(self) -> None:
        """Set the batch statistics to their mean over some batches; averaged ones would lag behind the weights."""
        before = [layer.momentum for layer in self._normalizations]
        for step in range(min(_RECALIBRATION_STEPS, len(self._batches))):
            for layer in self._normalizations:
                layer.momentum = step / (step + 1)
            self.model(self._batches.views(step), training=True)
        for layer, momentum in zip(self._normalizations, before, strict=True):
            layer.momentum = momentum


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
