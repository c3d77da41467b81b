"""How fast a run trains, as ratios in one run: against the plain way, and with augmentation.

    python -m tests.benchmarks.bench_training [--architecture seed-cnn] [--batch-size 64] [--steps 25] [--rounds 3]

The rival trains the same network as the original script does, in float32 with `model.fit`, but on
arrays in memory, which is faster than its reading of files. Ours is what a run does: its precision
on this machine, its batches, its callbacks, without augmentation and mixup, and with both: made by the
processor (--augment-on host) and where the network trains (device). Rounds are interleaved,
so that the machine's drift meets all alike; figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.models.registry import build
from fer_core.training.config import STANDARD_AUGMENTATION, RunConfig
from fer_core.training.loop.callbacks import Progress
from fer_core.training.loop.precision import precision
from fer_core.training.loop.trainer import prepare
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.heartbeat import Heartbeat
from fer_core.training.timing.device import best_precision, find_device

WARM_UP = 5


class Clock(keras.callbacks.Callback):
    """Times the steps after the first few."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if batch + 1 == WARM_UP:
            self.began_s = time.perf_counter()
        elif batch + 1 > WARM_UP:
            self.step_s = (time.perf_counter() - self.began_s) / (batch + 1 - WARM_UP)


class Plain:
    """The network of the original script and its `model.fit`, float32."""

    def __init__(self, faces: FaceSet, config: RunConfig) -> None:
        self._batch_size = config.batch_size
        rows = faces.rows_of("Training")
        self._x = faces.images[rows].astype(np.float32)[..., None]
        self._y = np.eye(7, dtype=np.float32)[faces.labels[rows]]
        self._model = build(config.architecture)
        self._model.compile(
            optimizer=keras.optimizers.Adam(1e-4), loss="categorical_crossentropy", metrics=["accuracy"]
        )

    def step_s(self) -> float:
        clock = Clock()
        self._model.fit(self._x, self._y, batch_size=self._batch_size, epochs=1, verbose=0, callbacks=[clock])
        return clock.step_s


class Ours:
    """What a run does, without validation and saving, which come once an epoch."""

    def __init__(self, faces: FaceSet, config: RunConfig, folder: Path) -> None:
        self._run = RunFolder(folder)
        self._run.create(config)
        with precision(config.precision):
            self._model, self._batches, _ = prepare(faces, config)

    def step_s(self) -> float:
        clock = Clock()
        progress = Progress(self._run, self._batches, Heartbeat(self._run))
        self._model.fit(self._batches, shuffle=False, epochs=1, verbose=0, callbacks=[progress, clock])
        return clock.step_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", default="seed-cnn")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    config = RunConfig(
        data="noise", architecture=options.architecture, batch_size=options.batch_size, precision=best_precision()
    )
    changed = dataclasses.replace(config, augmentation=STANDARD_AUGMENTATION, mixup=0.2)
    faces = noise(options.batch_size * (options.steps + WARM_UP))
    with tempfile.TemporaryDirectory() as folder:
        contestants = {
            "plain model.fit, float32": Plain(faces, config),
            f"ours, {config.precision}": Ours(
                faces, dataclasses.replace(config, augment_on="host"), Path(folder) / "plain"
            ),
        }
        for where in ("host", "device"):
            contestants[f"ours, augmented and mixed on the {where}"] = Ours(
                faces, dataclasses.replace(changed, augment_on=where), Path(folder) / where
            )
        times = {name: [] for name in contestants}
        for _ in range(options.rounds):
            for name, contestant in contestants.items():
                times[name].append(contestant.step_s())
    print(
        f"{find_device().name}, {keras.backend.backend()}, {options.architecture}, batch {options.batch_size}, "
        f"{options.steps} steps, {options.rounds} rounds"
    )
    medians = {name: float(np.median(values)) for name, values in times.items()}
    plain, ours, on_host, on_device = medians.values()
    for name, step_s in medians.items():
        print(
            f"{name:48} {step_s * 1000:7.1f} ms a step {options.batch_size / step_s:8,.0f} images/s "
            f"{plain / step_s:5.2f}×"
        )
    for where, step_s in (("host", on_host), ("device", on_device)):
        print(f"augmentation and mixup on the {where} cost {(step_s / ours - 1) * 100:.1f} % of the step time")


def noise(count: int) -> FaceSet:
    rng = np.random.default_rng(0)
    split = np.zeros(count + 1, np.uint8)
    split[-1] = 1
    return FaceSet(rng.integers(0, 256, (count + 1, 48, 48), np.uint8), rng.integers(0, 7, count + 1), split)


if __name__ == "__main__":
    main()
