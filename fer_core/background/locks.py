"""Locks that live exactly as long as the process that holds them.

An advisory file lock is freed by the kernel when its holder ends, by whatever means, so a
process that was killed cannot be taken for a living one, nor can a stranger with a reused
process id.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from fer_core.errors import JobError

try:
    import fcntl
except ModuleNotFoundError:  # Windows has none; what needs no lock between processes works there
    fcntl = None

# Whoever only asks whether a lock is held holds it himself for some microseconds.
_PATIENCE_S = 0.3
# The threads of one process wait here, since where there is no fcntl nothing else keeps them apart.
_threads = threading.Lock()


def take(path: Path, patience_s: float = _PATIENCE_S) -> int | None:
    """Take the lock on `path`, which is made if it is missing.

    Args:
        path: of the lock's file.
        patience_s: how long to wait for another holder, seconds.

    Returns:
        The open file that holds the lock until it is closed, here and in all processes that inherited
        it; None if another process holds it.

    Raises:
        JobError: this system has no such locks.
    """
    if fcntl is None:
        raise JobError(
            "Background work needs the file locks of Linux or macOS; this system has none. Run the "
            "program there, on Windows for example in WSL."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    end_s = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)  # until the new holder is written there is none, and not the one before
            return file
        except BlockingIOError:
            if time.monotonic() > end_s:
                os.close(file)
                return None
            time.sleep(0.01)


@contextmanager
def exclusive(path: Path, patience_s: float = 10.0) -> Generator[None, None, None]:
    """Keep all other threads and processes out of blocks with the same `path` while this one runs.

    Where the system has no file locks, only the threads of this process are kept out.

    Raises:
        JobError: another process did not leave its block in time.
    """
    with _threads:
        if fcntl is None:
            yield
            return
        file = take(path, patience_s)
        if file is None:
            raise JobError(f"Another process has held {path} for {patience_s:.0f} s. Try again.")
        try:
            yield
        finally:
            os.close(file)


def is_held(path: Path) -> bool:
    """Return whether a process holds the lock on `path`."""
    if fcntl is None:
        return False  # nobody could take it
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(file)


def write_holder(file: int, pid: int) -> None:
    """Write into the open lock which process holds it."""
    os.ftruncate(file, 0)
    os.pwrite(file, str(pid).encode(), 0)


def holder(path: Path) -> int | None:
    """Return the id of the process that holds the lock on `path`, or None if none does."""
    if not is_held(path):
        return None
    text = path.read_text(encoding="ascii")
    return int(text) if text else None


def terminate_holder(path: Path) -> None:
    """Send SIGTERM to the process that holds the lock on `path`, if one does."""
    if (pid := holder(path)) is not None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGTERM)
