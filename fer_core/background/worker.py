"""The process of one job: `python -m fer_core.background.worker FOLDER`, started by `launch.start_job`."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_core.background.jobs import CANCEL_FILE, OUTCOME_FILE, REQUEST_FILE, Request
from fer_core.background.launch import LOCKS_VARIABLE
from fer_core.background.processes import NICE
from fer_core.background.task import JobCancelled, JobContext, Task
from fer_core.dependencies import set_tensorflow_defaults
from fer_core.errors import FerError
from fer_core.files import read_json, write_json

_NO_MEMORY = "This machine ran out of memory. Close other programs, or work on less at a time, and start it again."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job in the folder that the arguments name; return 0 if it finished, else 1."""
    folder = Path((sys.argv[1:] if arguments is None else arguments)[0])
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    set_tensorflow_defaults()
    locks = [int(lock) for lock in os.environ.pop(LOCKS_VARIABLE, "").split(",") if lock]
    for lock in locks:
        os.set_inheritable(lock, False)  # a child of this process is no proof that it lives
    os.nice(NICE)
    outcome = {"state": "failed", "error": f"This is a fault of the program. Its log is {folder / 'log.txt'}."}
    try:
        outcome = _run(folder)
    finally:
        shutil.rmtree(folder / "input", ignore_errors=True)
        if outcome["state"] != "finished":
            shutil.rmtree(folder / "output", ignore_errors=True)
        write_json(folder / OUTCOME_FILE, outcome)
        for lock in locks:  # now, since a process with large libraries takes its time to end
            os.close(lock)
    return 0 if outcome["state"] == "finished" else 1


def _run(folder: Path) -> dict[str, Any]:
    """Run the task and return what came of it; what is a fault of the program surfaces in the log."""
    context = JobContext(folder)
    if (folder / CANCEL_FILE).exists():  # the request came before there was a process to send it to
        return {"state": "cancelled"}
    try:
        with context.cancellable():
            return {"state": "finished", "result": load_task(folder).run(context)}
    except JobCancelled:
        return {"state": "cancelled"}
    except FerError as error:
        return {"state": "failed", "error": str(error)}
    except MemoryError:
        return {"state": "failed", "error": _NO_MEMORY}
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return {"state": "failed", "error": f"The disk is full. Free some space on it and start it again. ({error})"}


def load_task(folder: Path) -> Task:
    """Return the task that the request in `folder` names, with its fields."""
    request = Request(**read_json(folder / REQUEST_FILE))
    module, name = request.task.split(":")
    kind = getattr(importlib.import_module(module), name)
    if not issubclass(kind, Task):
        raise TypeError(f"{request.task} is not a task")
    return kind(**request.arguments)


if __name__ == "__main__":
    sys.exit(main())
