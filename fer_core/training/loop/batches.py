"""Batches that depend on nothing but (seed, epoch, number), so that a resumed run sees the same ones."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from fer_core.training.config import RunConfig
from fer_core.training.loop.augmentation import augment, mix, resize
from fer_core.training.loop.heads import columns, smoothed, weighed_columns

# Scores float32 (b, 7), in the order of the targets, of faces uint8 (b, 48, 48), for each label set that is taught.
Teacher = Callable[[np.ndarray], Mapping[str, np.ndarray]]

# Batches that are made ahead while the network trains on the one before.
_AHEAD = 6
# Two already keep two processor cores busy beside the training step; a graphics processor needs more of them.
_WORKERS = min(8, max(2, (os.cpu_count() or 2) // 2))


class Batches(keras.utils.PyDataset):
    """Shuffled, changed and mixed batches: faces (b, size, size, 1), targets float32 (b, 7 × label sets), weights (b,).

    Threads make the next ones ahead of time. Keras's own workers are not used: what they made ahead before `fit` began
    is handed out again afterwards, so a resumed run would see other batches than an uninterrupted one.
    """

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        config: RunConfig,
        epoch: int = 0,
        weights: np.ndarray | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        """Args:
        images: uint8 (n, 48, 48).
        targets: float32 (n, 7 × label sets), side by side in the order of `config.label_sets`.
        config: of the run; the last batch of an epoch holds what remains.
        epoch: number of the first epoch that will be read, from 0.
        weights: float32 (7,), weight of each expression in the loss; all 1 by default.
        teacher: gives scores (b, 7) of faces uint8 (b, 48, 48), which become part of the targets.
        """
        super().__init__()
        self._images, self._targets, self._config = images, smoothed(targets, config), config
        self._weights, self._teacher = weights, teacher
        self._pool = ThreadPoolExecutor(_WORKERS, "batches")
        self._lock, self._pending = threading.Lock(), {}
        self.start_epoch(epoch)

    def __len__(self) -> int:
        return math.ceil(len(self._targets) / self._config.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        with self._lock:
            for ahead in range(index, min(index + 1 + _AHEAD, len(self))):
                if ahead not in self._pending:
                    self._pending[ahead] = self._pool.submit(self._make, self._epoch, self._order, ahead)
            batch = self._pending.pop(index)
        return batch.result()

    def views(self, index: int) -> Any:
        """Return the faces of a batch as they are trained on, (b, size, size, 1)."""
        return self[index][0]

    def _chance(self, epoch: int, order: np.ndarray, index: int) -> tuple[np.ndarray, np.random.Generator]:
        """Return which faces are in a batch, int (b,), and what its changes are drawn from."""
        size = self._config.batch_size
        return order[index * size : (index + 1) * size], np.random.default_rng([self._config.seed, epoch, index + 1])

    def _make(self, epoch: int, order: np.ndarray, index: int) -> tuple[Any, ...]:
        config = self._config
        rows, rng = self._chance(epoch, order, index)
        images, targets = self._images[rows], self._targets[rows]
        if config.augmentation:
            images = augment(images, config.augmentation, rng)
        if config.mixes_at(epoch):
            images, targets = mix(images, targets, config.mixup, rng)
        if self._teacher:
            targets = self._taught(images, targets)
        images = resize(images, config.size_at(epoch))
        if self._weights is None:
            return images[..., None], targets
        return images[..., None], targets, targets[:, weighed_columns(config)] @ self._weights

    def _taught(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Mix the teachers' scores into the targets of the label sets that they answer for."""
        # Of the very view that the student sees, but at full size: they answer for exactly this picture.
        scores = self._teacher(np.rint(images).astype(np.uint8))
        share, label_sets, taught = self._config.teacher_share, self._config.label_sets, targets.copy()
        for label_set, some in scores.items():
            place = columns(label_set, label_sets)
            # A face without a target in a label set is not taught there either.
            present = targets[:, place].sum(axis=1, keepdims=True) if len(label_sets) > 1 else 1
            taught[:, place] = targets[:, place] * (1 - share) + some * share * present
        return taught

    @property
    def images(self) -> np.ndarray:
        """All faces that are trained on, uint8 (n, 48, 48), unchanged."""
        return self._images

    @property
    def batch_size(self) -> int:
        """Faces per batch, except in the last."""
        return self._config.batch_size

    @property
    def size(self) -> int:
        """Width and height of the faces in this epoch, pixels."""
        return self._config.size_at(self._epoch)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for `epoch` and drop what was made ahead for another."""
        with self._lock:
            for batch in self._pending.values():
                batch.cancel()
            self._pending.clear()
            self._epoch = epoch
            self._order = np.random.default_rng([self._config.seed, epoch]).permutation(len(self._targets))
