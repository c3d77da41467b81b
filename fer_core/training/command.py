"""The command `train`: make the run's folder, wait for its turn, train, and write the model for the app."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_core.data.face_set import FaceSet
from fer_core.data.store import list_stores
from fer_core.errors import FerError, RunError
from fer_core.files import write_json
from fer_core.models.model_store import available_models
from fer_core.settings import home_folder
from fer_core.terminal import progress_bar
from fer_core.training.config import RunConfig
from fer_core.training.learning_rate import sweep_text
from fer_core.training.loop.prerequisites import check_prerequisites
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.heartbeat import Heartbeat
from fer_core.training.run.process import require_unfinished
from fer_core.training.run.store import find_run, free_name, list_runs
from fer_core.training.run_faces import open_run_faces

__all__ = ["STOPPED", "TrainOutcome", "create_run", "measure", "open_run_faces", "resumable_run", "train_run"]

log = logging.getLogger(__name__)

OpenFaces = Callable[[RunConfig], FaceSet]
# Exit code of a command whose run was stopped from outside.
STOPPED = 3


def create_run(config: RunConfig, name: str | None = None) -> RunFolder:
    """Create the folder of a new run, with its configuration.

    Args:
        config: what is trained and how; its paths are made absolute.
        name: of the run, or path of its folder; the network and a number if None.

    Raises:
        RunError: the folder already holds a run, or the configuration names what cannot be used.
    """
    config = with_absolute_paths(config)
    run = find_run(name or free_name(config))
    check_prerequisites(config)
    run.create(config)
    return run


def resumable_run(name: str | None, given: Sequence[str] = ()) -> RunFolder:
    """Return a run that training can go on with.

    Args:
        name: of the run, or path of its folder.
        given: options of a configuration that were given beside it, as they are written.

    Raises:
        RunError: there is no such run, it cannot be read, it is finished, or other options were given.
    """
    if not name:
        raise RunError("--resume needs the run that goes on: --run NAME, or the path of its folder.")
    if given:
        raise RunError(
            f"--resume goes on with the run's own configuration, so {' and '.join(given)} cannot be given too. Leave "
            "it out, or start a new run."
        )
    run = find_run(name)
    status = run.status()
    if status and status.state == "finished":
        raise RunError(f"The run in {run.path} is finished. Start a new one to train longer.")
    run.config()
    return run


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """Return the configuration with absolute paths, so that it holds wherever the run is resumed from."""
    # A folder here may happen to have the name of a data set, a run or a model: then the name is meant.
    named = {"data": {store.name for store in list_stores()}, "corrections": set()}
    known = {*available_models(), *(run.name for run in list_runs())}

    def absolute(value: str, kind: str) -> str:
        is_name = not value or value in named.get(kind, known) or not Path(value).exists()
        return value if is_name else str(Path(value).resolve())

    return dataclasses.replace(
        config,
        **{kind: absolute(getattr(config, kind), kind) for kind in ("data", "corrections", "start_from")},
        teachers=tuple(absolute(name, "teachers") for name in config.teachers),
    )


@dataclasses.dataclass(frozen=True)
class TrainOutcome:
    """How training in this process ended.

    Attributes:
        metrics: those of the card; None if the run was stopped.
        stop_signal: number of the signal that stopped it, or None.
    """

    metrics: Mapping[str, Any] | None
    stop_signal: int | None = None

    @property
    def exit_code(self) -> int:
        """0 if the run is finished, 130 after Ctrl-C, `STOPPED` if it was stopped otherwise."""
        if self.metrics is not None:
            return 0
        return 128 + signal.SIGINT if self.stop_signal == signal.SIGINT else STOPPED


def train_run(run: RunFolder, open_faces: OpenFaces) -> TrainOutcome:
    """Train `run` in this process and, when that is done, write the model that the app would use.

    Raises:
        FerError: see `train`.
    """
    from fer_core.training.loop.trainer import train

    beat = Heartbeat(run)
    card = train(open_faces, run, export=_export, beat=beat)
    return TrainOutcome(card.metrics if card else None, beat.stop_signal)


def finish_run(run: RunFolder, open_faces: OpenFaces) -> TrainOutcome:
    """Make the weights that a stopped run has so far its result, in this process, and write the model for the app.

    Raises:
        FerError: it is finished, has no weights yet, or see `finish`.
    """
    from fer_core.training.loop.finish import finish

    require_unfinished(run)
    beat = Heartbeat(run)
    card = finish(open_faces, run, export=_export, beat=beat)
    return TrainOutcome(card.metrics if card else None, beat.stop_signal)


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the accuracy of a finished run on each split, with its 95 % interval."""
    for split, figures in metrics.items():
        low, high = figures["accuracy_95"]
        print(f"{split}: {figures['accuracy']:.2%} ({low:.1%} to {high:.1%}), {figures['protocol']}")


def measure(config: RunConfig, open_faces: OpenFaces, path: Path) -> None:
    """Measure how fast `config` trains here and write it, or why that failed, to `path`."""
    from fer_core.training.timing.benchmark import measure_throughput

    try:
        write_json(path, measure_throughput(open_faces(config), config))
    except FerError as error:
        write_json(path, {"error": str(error), "time_s": time.time()})
        raise


def find_learning_rate(config: RunConfig, open_faces: OpenFaces) -> str:
    """Try learning rates for `config` and return the outcome as text.

    Raises:
        FerError: the configuration cannot be trained.
    """
    from fer_core.training.loop.rate_sweep import sweep_learning_rates

    config = with_absolute_paths(config)
    check_prerequisites(config)
    with progress_bar("Trying learning rates") as update:
        sweep = sweep_learning_rates(open_faces(config), config, steps=lambda done, total, _: update(done, total))
    return sweep_text(sweep)


def _export(run: RunFolder) -> None:
    if not importlib.util.find_spec("tensorflow"):
        log.info("Without TensorFlow the result cannot be converted here; its weights and card are in %s.", run.path)
        return
    # In a process of its own: converting needs TensorFlow and float32, whatever trained here. A
    # result that cannot be converted is still a result, so a failure stays in the log.
    subprocess.run(
        [sys.executable, "-m", "fer_core", "export", str(run.path)],
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "FER_HOME": str(home_folder())},
    )
