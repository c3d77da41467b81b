"""How long an epoch takes on this machine: measured once for each kind of run, by a background job."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.background.jobs import list_jobs, running_job
from fer_core.background.launch import start_job
from fer_core.background.task import JobContext, Task
from fer_core.files import read_json, write_json
from fer_core.training.config import RunConfig
from fer_core.training.run.store import runs_root
from fer_core.training.run_faces import open_run_faces
from fer_core.training.timing.device import find_device

_IRRELEVANT = (
    "epochs",
    "learning_rate",
    "schedule",
    "decay_per_step",
    "warmup_epochs",
    "label_smoothing",
    "early_stopping",
    "selection",
    "mixup_share",
    "tensorboard",
    "mlflow",
    "seed",
    "start_from",
)
# The reason for a failure may be gone after this time: it is tried again.
_ERROR_HOLDS_S = 600.0


@dataclass(frozen=True)
class Throughput:
    """The measured speed of training.

    Attributes:
        epoch_s: seconds an epoch takes, validation included; None if it could not be measured.
        images_per_s: faces trained on per second.
        device: what it ran on, as text.
        error: why it could not be measured.
    """

    epoch_s: float | None = None
    images_per_s: float | None = None
    device: str = ""
    error: str = ""


@dataclass(frozen=True)
class MeasureThroughput(Task):
    """Train for a few seconds to learn how long an epoch takes; one such job runs at a time.

    Attributes:
        config: of the run, as `RunConfig.to_dict` returns it.
        file: where the result is kept.
    """

    kind = "throughput"
    keep_s = _ERROR_HOLDS_S
    config: Mapping[str, Any]
    file: str

    @property
    def title(self) -> str:
        return "Measuring how long an epoch takes"

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return what `measure_throughput` measured."""
        from fer_core.training.timing.benchmark import measure_throughput

        config = RunConfig.from_dict(dict(self.config))
        measured = measure_throughput(open_run_faces(config), config)
        write_json(Path(self.file), measured)
        return measured


def known_throughput(config: RunConfig) -> Throughput | None:
    """Return what was measured here for runs of this kind, or why that failed lately; None if nothing is known."""
    file = _file(config)
    try:
        content = read_json(file)
        return Throughput(content["epoch_s"], content["images_per_s"], content.get("device", ""))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass  # not measured, or damaged: it is measured again
    failed = (job for job in list_jobs() if job.state == "failed" and job.request.arguments.get("file") == str(file))
    return next((Throughput(error=job.error) for job in failed), None)


def is_measuring() -> bool:
    """Return whether a measurement is going on."""
    return running_job(MeasureThroughput.kind) is not None


def start_measuring(config: RunConfig) -> None:
    """Start to measure, unless a measurement is going on; it takes about as long as loading TensorFlow.

    Raises:
        JobError: there is no room for the job.
    """
    if not is_measuring():
        start_job(MeasureThroughput(config.to_dict(), str(_file(config))))


def end_measuring() -> None:
    """End a measurement that is going on, so that it does not slow down what matters."""
    if (job := running_job(MeasureThroughput.kind)) is not None:
        job.cancel()


def _folder() -> Path:
    folder = runs_root() / ".speed"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file(config: RunConfig) -> Path:
    plain = RunConfig()
    kind = dataclasses.replace(config, **{name: getattr(plain, name) for name in _IRRELEVANT})
    identity = json.dumps([kind.to_dict(), find_device().name], sort_keys=True)
    return _folder() / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"
