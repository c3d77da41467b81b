"""The sign of life of a run's own process, its turn among others, and the request to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_core.background.locks import take, write_holder
from fer_core.background.processes import NICE
from fer_core.errors import RunError
from fer_core.training.run.folder import HEARTBEAT_S, RunFolder
from fer_core.training.run.store import list_runs, runs_root
from fer_core.training.timing.device import device_key

log = logging.getLogger(__name__)

# The launcher opens the run's lock and leaves it to the process that it starts, by this variable.
LOCK_VARIABLE = "FER_RUN_LOCK"
_QUEUE_LOOK_S = 0.5


class Stopped(Exception):
    """The run was asked to stop before it had begun to train."""


class Heartbeat:
    """Writes the status of a run when it changes, and every few seconds from a thread of its own."""

    def __init__(self, run: RunFolder) -> None:
        self.stop_signal: int | None = None
        self._run, self._lock, self._done = run, threading.Lock(), threading.Event()
        self.state, self._fields = "starting", {"since_s": time.time()}

    @property
    def stop_requested(self) -> bool:
        """Whether a signal asked the run to stop; `stop_signal` is its number."""
        return self.stop_signal is not None

    def set_state(self, state: str, **fields: object) -> None:
        """Write `state` and the fields of `RunStatus` that changed."""
        self.update(**fields)
        self.state = state
        self._write()

    def update(self, **fields: object) -> None:
        """Keep the fields for the next beat."""
        self._fields = {**self._fields, **fields}

    def check_stop(self) -> None:
        """Raise `Stopped` if the run was asked to stop."""
        if self.stop_requested:
            raise Stopped

    def _write(self) -> None:
        with self._lock:
            self._run.write_status(self.state, **self._fields)

    def _beat(self) -> None:
        while not self._done.wait(HEARTBEAT_S):
            try:
                self._write()
            except OSError as error:  # a full disk ends the run where it writes what matters
                log.warning("The status of %s cannot be written: %s.", self._run.path, error)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat while the block runs, and turn SIGTERM and SIGINT into `stop_requested`."""

        def stop(number: int, frame: object) -> None:
            self.stop_signal = number

        previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()
            for number, handler in previous.items():
                signal.signal(number, handler)


@contextmanager
def run_lock(run: RunFolder) -> Iterator[None]:
    """Hold the lock of `run` while the block runs.

    Raises:
        RunError: another process works on the run.
    """
    inherited = os.environ.pop(LOCK_VARIABLE, None)
    file = int(inherited) if inherited else take(run.lock_file)
    if file is None:
        raise RunError(f"Another process already works on the run in {run.path}. Stop it first, or wait for its end.")
    os.set_inheritable(file, False)
    write_holder(file, os.getpid())
    if inherited:
        os.nice(NICE)
    run.stop_file.unlink(missing_ok=True)
    try:
        yield
    finally:
        os.close(file)


@contextmanager
def device_lock(run: RunFolder, beat: Heartbeat, root: Path | None = None) -> Iterator[None]:
    """Hold the device while the block runs; until it is free, wait behind those who came earlier.

    Raises:
        Stopped: the run was asked to stop while it waited.
    """
    path = (root or runs_root()) / f".{device_key()}.lock"
    while (file := None if _earlier(run, root) else take(path)) is None:
        if beat.state != "waiting":
            beat.set_state("waiting", queue=device_key())
        beat.check_stop()
        time.sleep(_QUEUE_LOOK_S)
    try:
        yield
    finally:
        os.close(file)


def _earlier(run: RunFolder, root: Path | None) -> bool:
    """Return whether a run that waits for the same device has waited longer than `run`."""
    mine = run.status()
    waiting = [
        status
        for other in list_runs(root)
        if other.path != run.path
        and (status := other.status())
        and status.state == "waiting"
        and status.queue == device_key()
    ]
    return any((status.since_s, status.pid) < (mine.since_s, mine.pid) for status in waiting)
