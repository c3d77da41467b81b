"""Locks that live exactly as long as the process that holds them.

An advisory file lock is freed by the kernel when its holder ends, by whatever means, so a run
whose process was killed cannot be taken for a living one, nor can a stranger with a reused
process id.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from fer_core.errors import RunError

try:
    import fcntl
except ModuleNotFoundError:  # Windows has none; what needs no lock works there
    fcntl = None

# Whoever only asks whether a lock is held holds it himself for some microseconds.
_PATIENCE_S = 0.3


def take(path: Path) -> int | None:
    """Take the lock on `path`, which is made if it is missing.

    Returns:
        The open file that holds the lock until it is closed, here and in all processes that inherited
        it; None if another process holds it.

    Raises:
        RunError: this system has no such locks.
    """
    if fcntl is None:
        raise RunError(
            "Training and measuring need the file locks of Linux or macOS; this system has none. Run the "
            "program there, on Windows for example in WSL."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    end_s = time.monotonic() + _PATIENCE_S
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
