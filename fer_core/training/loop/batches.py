"""Batches that depend on nothing but (seed, epoch, number), so that a resumed run sees the same ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np

from fer_core.training.config import RunConfig
from fer_core.training.loop.augmentation import augment, mix, resize

# Scores float32 (b, 7) of faces uint8 (b, 48, 48), in the order of the targets.
Teacher = Callable[[np.ndarray], np.ndarray]


class Batches(keras.utils.PyDataset):
    """Shuffled, changed and mixed batches: faces (b, size, size, 1), targets float32 (b, 7), weights float32 (b,)."""

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
        targets: float32 (n, 7), rows sum to 1.
        config: of the run; the last batch of an epoch holds what remains.
        epoch: number of the first epoch that will be read, from 0.
        weights: float32 (7,), weight of each expression in the loss; all 1 by default.
        teacher: gives scores (b, 7) of faces uint8 (b, 48, 48), which become part of the targets.
        """
        super().__init__()
        self._images, self._targets, self._config = images, targets, config
        self._weights, self._teacher = weights, teacher
        self.start_epoch(epoch)

    def __len__(self) -> int:
        return math.ceil(len(self._targets) / self._config.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        config = self._config
        rows = self._order[index * config.batch_size : (index + 1) * config.batch_size]
        images, targets = self._images[rows], self._targets[rows]
        rng = np.random.default_rng([config.seed, self._epoch, index + 1])
        if config.augmentation:
            images = augment(images, config.augmentation, rng)
        if config.mixes_at(self._epoch):
            images, targets = mix(images, targets, config.mixup, rng)
        if self._teacher:
            # Of the very view that the student sees, but whole: what it is taught holds for this picture.
            scores = self._teacher(np.rint(images).astype(np.uint8))
            targets = targets * (1 - config.teacher_share) + scores * config.teacher_share
        images = resize(images, self.size)
        if self._weights is None:
            return images[..., None], targets
        return images[..., None], targets, targets @ self._weights

    @property
    def batch_size(self) -> int:
        """Faces a batch, but for the last."""
        return self._config.batch_size

    @property
    def size(self) -> int:
        """Width and height of the faces in this epoch, pixels."""
        return self._config.size_at(self._epoch)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for `epoch`."""
        self._epoch = epoch
        self._order = np.random.default_rng([self._config.seed, epoch]).permutation(len(self._targets))
