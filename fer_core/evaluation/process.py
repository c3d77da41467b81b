"""Measure models in a process of its own, so that a page stays usable and nothing is computed twice."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fer_core.background.locks import holder, is_held, take, write_holder
from fer_core.background.processes import start_command
from fer_core.files import read_json, write_json
from fer_core.settings import home_folder


@dataclass(frozen=True)
class Job:
    """The measurement that goes on, or the last one.

    Attributes:
        running: whether its process lives.
        what: is being measured, in words.
        done, total: faces of that.
        error: why it ended early, in words; empty if it did not.
    """

    running: bool
    what: str = ""
    done: int = 0
    total: int = 1
    error: str = ""


def start_measuring(models: Sequence[Path | str], data: str, splits: Sequence[str], robustness: bool = False) -> bool:
    """Start to measure models on a data set; results are kept as they come.

    Args:
        models: names or folders of models.
        data: name of a data set.
        splits: to measure on.
        robustness: also measure on worse pictures.

    Returns:
        Whether it was started: one measurement goes on at a time.
    """
    lock = take(_lock())
    if lock is None:
        return False
    try:
        write_json(_progress_file(), {"what": "Starting", "done": 0, "total": 1, "error": ""})
        process = start_command(
            [
                "evaluate",
                "--model",
                *map(str, models),
                "--data",
                data,
                "--split",
                *splits,
                "--json",
                "--progress",
                str(_progress_file()),
                *(["--robustness"] if robustness else []),
            ],
            _folder() / "log.txt",
            keep_open=(lock,),
        )
        write_holder(lock, process.pid)
    finally:
        os.close(lock)  # from here on the lock is the new process's own
    return True


def measuring_job() -> Job | None:
    """Return the measurement that goes on or the last one; None before the first."""
    try:
        job = Job(running=is_held(_lock()), **read_json(_progress_file()))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None
    if not job.running and not job.error and job.done < job.total:
        return Job(
            running=False,
            error="The measurement ended without a word: its process was killed or ran out of "
            f"memory. Its log is {_folder() / 'log.txt'}. Start it again.",
        )
    return job


def stop_measuring() -> None:
    """End a measurement that goes on; what it has finished is kept."""
    if (pid := holder(_lock())) is not None:
        write_json(_progress_file(), {"what": "", "done": 1, "total": 1, "error": ""})
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGTERM)


def _folder() -> Path:
    return home_folder() / "evaluation"


def _lock() -> Path:
    return _folder() / "measuring.lock"


def _progress_file() -> Path:
    return _folder() / "progress.json"
