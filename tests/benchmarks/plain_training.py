"""The original script's way of training, in a process of its own: its network, float32, `model.fit`.

    python -m tests.benchmarks.plain_training [--architecture seed-cnn] [--batch-size 64] [--steps 25]

TensorFlow starts as it does by itself; faces are arrays in memory, which is faster than reading files as the original
does. It prints the seconds of a step.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.models.registry import build

WARM_UP = 5


class Clock(keras.callbacks.Callback):
    """Times the steps after the first few."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if batch + 1 == WARM_UP:
            self.began_s = time.perf_counter()
        elif batch + 1 > WARM_UP:
            self.step_s = (time.perf_counter() - self.began_s) / (batch + 1 - WARM_UP)


def noise(count: int) -> FaceSet:
    """Return faces of noise, `count` of Training and one of PublicTest."""
    rng = np.random.default_rng(0)
    split = np.zeros(count + 1, np.uint8)
    split[-1] = 1
    return FaceSet(rng.integers(0, 256, (count + 1, 48, 48), np.uint8), rng.integers(0, 7, count + 1), split)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is trained."""
    parser.add_argument("--architecture", default="seed-cnn")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    options = parser.parse_args()
    faces = noise(options.batch_size * (options.steps + WARM_UP))
    rows = faces.rows_of("Training")
    model, clock = build(options.architecture), Clock()
    model.compile(optimizer=keras.optimizers.Adam(1e-4), loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        faces.images[rows].astype(np.float32)[..., None],
        np.eye(7, dtype=np.float32)[faces.labels[rows]],
        batch_size=options.batch_size,
        epochs=1,
        verbose=0,
        callbacks=[clock],
    )
    print(clock.step_s)


if __name__ == "__main__":
    main()
