"""Start and stop the process of a run. It outlives whoever started it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from fer_core.background.locks import is_held, take, terminate_holder, write_holder
from fer_core.background.processes import start_command
from fer_core.errors import RunError
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.heartbeat import LOCK_VARIABLE


def launch(run: RunFolder, environment: Mapping[str, str] | None = None) -> int:
    """Start a process that trains the run, from its beginning or from its last whole epoch.

    It has a session and a process group of its own, so that neither the end of this process nor a
    Ctrl-C at its terminal reaches it. What it prints goes to the run's log.

    Args:
        run: a folder whose configuration was written by `RunFolder.create`.
        environment: variables to add to those of this process.

    Returns:
        The process id.

    Raises:
        RunError: a process already works on the run, or it is finished.
    """
    status = run.status()
    if status and status.state == "finished":
        raise RunError(f"The run {run.name!r} is finished. Start a new one to train longer.")
    return _start(run, ["train", "--resume", "--run", str(run.path.resolve())], environment)


def launch_finish(run: RunFolder) -> int:
    """Start a process that makes the weights which a stopped run has so far its result, as `launch` does.

    Returns:
        The process id.

    Raises:
        RunError: a process already works on the run, it is finished, or it has no weights yet.
    """
    require_unfinished(run)
    return _start(run, ["runs", "finish", str(run.path.resolve())])


def require_unfinished(run: RunFolder) -> None:
    """Check that a run can be finished where it stands.

    Raises:
        RunError: it is finished, or has no whole epoch yet.
    """
    status = run.status()
    if status and status.state == "finished":
        raise RunError(f"The run {run.name!r} is finished already.")
    if not len(run.history()) or not run.weights_file.exists():
        raise RunError(f"The run {run.name!r} has no weights yet: it has not finished an epoch. Resume it first.")


def _start(run: RunFolder, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    lock = take(run.lock_file)
    if lock is None:
        raise RunError(f"A process already works on the run {run.name!r}. Wait for its end, or stop it first.")
    try:
        run.stop_file.unlink(missing_ok=True)
        run.write_status("starting", since_s=time.time(), epoch=len(run.history()))
        process = start_command(
            arguments,
            run.log_file,
            keep_open=(lock,),
            environment={**(environment or {}), LOCK_VARIABLE: str(lock)},
        )
        write_holder(lock, process.pid)
    finally:
        os.close(lock)  # from here on the lock is the new process's own
    return process.pid


def stop(run: RunFolder) -> None:
    """Ask the run to stop at the end of the current batch; it does nothing if no process works on it."""
    if not is_held(run.lock_file):
        return
    with suppress(OSError):  # on a full disk the signal alone must do
        run.stop_file.touch()
    terminate_holder(run.lock_file)
