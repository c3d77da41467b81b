"""How long an epoch takes on this machine: measured once for each kind of run, in a process of its own."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fer_core.background.locks import holder, is_held, take, write_holder
from fer_core.background.processes import start_command
from fer_core.files import read_json, write_json
from fer_core.training.arguments import arguments_of
from fer_core.training.config import RunConfig
from fer_core.training.run.store import runs_root
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
    "seed",
    "start_from",
)
# What went wrong may be mended by then: it is tried again.
_ERROR_HOLDS_S = 600.0


@dataclass(frozen=True)
class Throughput:
    """What was measured.

    Attributes:
        epoch_s: seconds an epoch takes, validation included; None if it could not be measured.
        images_per_s: faces trained on per second.
        device: what it ran on, in words.
        error: why it could not be measured, in words.
    """

    epoch_s: float | None = None
    images_per_s: float | None = None
    device: str = ""
    error: str = ""


def known_throughput(config: RunConfig) -> Throughput | None:
    """Return what was measured here for runs of this kind, or None if nothing was."""
    try:
        told = read_json(_file(config))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if told.get("pending") and is_measuring():
        return None
    if told.get("error") and time.time() - told.get("time_s", 0.0) > _ERROR_HOLDS_S:
        return None
    return Throughput(told.get("epoch_s"), told.get("images_per_s"), told.get("device", ""), told.get("error", ""))


def is_measuring() -> bool:
    """Return whether a measurement is going on."""
    return is_held(_lock())


def start_measuring(config: RunConfig) -> None:
    """Start to measure, unless a measurement is going on; it takes about as long as loading TensorFlow."""
    lock = take(_lock())
    if lock is None:
        return
    file = _file(config)
    try:
        # What is found if the process dies and writes nothing; without it, it would be started again and again.
        write_json(
            file,
            {
                "pending": True,
                "time_s": time.time(),
                "error": "The process that measured ended without a word; most likely memory ran out.",
            },
        )
        process = start_command(
            ["train", "--measure", str(file), *arguments_of(config)], file.with_suffix(".log"), keep_open=(lock,)
        )  # which holds the lock until it ends
        write_holder(lock, process.pid)
    finally:
        os.close(lock)


def end_measuring() -> None:
    """End a measurement that is going on, so that it does not slow down what matters."""
    if (pid := holder(_lock())) is None:
        return
    for file in _folder().glob("[!.]*.json"):  # those with a dot are being written
        with suppress(FileNotFoundError, json.JSONDecodeError):
            if read_json(file).get("pending"):
                file.unlink(missing_ok=True)
    with suppress(ProcessLookupError):  # it ended in between
        os.kill(pid, signal.SIGTERM)


def _folder() -> Path:
    folder = runs_root() / ".speed"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _lock() -> Path:
    return _folder() / "measuring.lock"


def _file(config: RunConfig) -> Path:
    plain = RunConfig()
    kind = dataclasses.replace(config, **{name: getattr(plain, name) for name in _IRRELEVANT})
    words = json.dumps([kind.to_dict(), find_device().name], sort_keys=True)
    return _folder() / f"{hashlib.sha256(words.encode()).hexdigest()[:16]}.json"
