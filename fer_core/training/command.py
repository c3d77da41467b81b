"""`python -m fer_core train`: make the run's folder, wait for its turn, train, and write the model for the app."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fer_core.data.face_set import FaceSet
from fer_core.data.store import list_stores
from fer_core.errors import FerError, RunError
from fer_core.files import write_json
from fer_core.models.model_store import available_models
from fer_core.settings import home_folder
from fer_core.training.arguments import config_from_arguments
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.store import find_run, free_name, list_runs

log = logging.getLogger(__name__)

OpenFaces = Callable[[RunConfig], FaceSet]


def run_of(options: argparse.Namespace) -> RunFolder:
    """Return the run that the options name: with --resume one that exists, else a new one.

    Raises:
        RunError: there is nothing to resume, or the folder already holds a run.
    """
    if not options.resume:
        config = _anywhere(config_from_arguments(options))
        run = find_run(options.run or free_name(config))
        run.create(config)
        return run
    if not options.run:
        raise RunError("--resume needs the run that goes on: --run NAME, or the path of its folder.")
    run = find_run(options.run)
    status = run.status()
    if status and status.state == "finished":
        raise RunError(f"The run in {run.path} is finished. Start a new one to train longer.")
    run.config()
    return run


def _anywhere(config: RunConfig) -> RunConfig:
    """Return the configuration with whole paths, so that it holds wherever the run is resumed from."""
    # A folder here may happen to have the name of a data set, a run or a model: then the name is meant.
    named = {"data": {store.name for store in list_stores()}, "corrections": set()}
    known = {*available_models(), *(run.name for run in list_runs())}

    def whole(value: str, kind: str) -> str:
        meant = not value or value in named.get(kind, known) or not Path(value).exists()
        return value if meant else str(Path(value).resolve())

    return dataclasses.replace(
        config,
        **{kind: whole(getattr(config, kind), kind) for kind in ("data", "corrections", "start_from")},
        teachers=tuple(whole(name, "teachers") for name in config.teachers),
    )


def train_run(run: RunFolder, open_faces: OpenFaces) -> Mapping[str, Any] | None:
    """Train `run` in this process and, when that is done, write the model that the app would use.

    Returns:
        The metrics of the card, or None if the run was stopped.
    """
    from fer_core.training.loop.trainer import train

    card = train(open_faces, run, export=_export)
    return card.metrics if card else None


def measure(config: RunConfig, open_faces: OpenFaces, path: Path) -> None:
    """Measure how fast `config` trains here and write it, or why it cannot be known, to `path`."""
    from fer_core.training.timing.benchmark import measure_throughput

    try:
        write_json(path, measure_throughput(open_faces(config), config))
    except FerError as error:
        write_json(path, {"error": str(error), "time_s": time.time()})
        raise


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
