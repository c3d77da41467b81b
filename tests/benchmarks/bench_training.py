"""How fast a run trains, as ratios in one run: against the plain way, and with augmentation.

    python -m tests.benchmarks.bench_training [--architecture seed-cnn] [--batch-size 64] [--steps 25] [--rounds 3]

The rival trains the same network as the original script does, in a process of its own (`plain_training`). Ours is what
a run does: its precision and kernels on this machine, its batches, its callbacks, without augmentation and mixup, and
with both: made by the processor (--augment-on host) and where the network trains (device). Rounds are interleaved,
so that the machine's drift meets all alike; figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# What `set_tensorflow_defaults` sets where a run trains.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.training.config import STANDARD_AUGMENTATION, RunConfig
from fer_core.training.loop.callbacks import Progress
from fer_core.training.loop.precision import precision
from fer_core.training.loop.trainer import prepare
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.heartbeat import Heartbeat
from fer_core.training.timing.device import best_precision, find_device
from tests.benchmarks.plain_training import WARM_UP, Clock, add_options, noise


class Plain:
    """The network of the original script and its `model.fit`, as TensorFlow starts by itself."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._command = [sys.executable, "-m", "tests.benchmarks.plain_training"]
        for name in ("architecture", "batch_size", "steps"):
            self._command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]

    def step_s(self) -> float:
        by_itself = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
        ran = subprocess.run(self._command, env=by_itself, stdout=subprocess.PIPE, text=True, check=True)
        return float(ran.stdout.split()[-1])


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
    add_options(parser)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    config = RunConfig(
        data="noise", architecture=options.architecture, batch_size=options.batch_size, precision=best_precision()
    )
    changed = dataclasses.replace(config, augmentation=STANDARD_AUGMENTATION, mixup=0.2)
    faces = noise(options.batch_size * (options.steps + WARM_UP))
    with tempfile.TemporaryDirectory() as folder:
        contestants = {
            "plain model.fit, float32": Plain(options),
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


if __name__ == "__main__":
    main()
