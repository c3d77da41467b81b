"""Start modules of this package as processes of their own, which outlive whoever started them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import fer_core
from fer_core.settings import home_folder

# Background processes let the page's server go first, so that everything else stays usable.
NICE = 5
_PROJECT = Path(fer_core.__file__).parents[1]


def start_module(
    module: str,
    arguments: Sequence[str],
    log_file: Path,
    keep_open: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    on_exit: Callable[[int], None] = lambda code: None,
) -> subprocess.Popen[bytes]:
    """Start `python -m module` in a session of its own, in the project's folder and with the home of this process.

    Args:
        module: full name of a module that can be run.
        arguments: of its command line.
        log_file: what it prints is appended to this file.
        keep_open: open files that it inherits, such as locks.
        environment: variables to add to those of this process.
        on_exit: called with its exit code, negative for a signal, if this process still lives then.
    """
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=_PROJECT,
            start_new_session=True,
            pass_fds=tuple(keep_open),
            # As an absolute path: a relative one would name another folder there.
            env={**os.environ, "FER_HOME": str(home_folder()), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    # Somebody must wait for a child, or its end leaves a zombie for as long as this process lives.
    threading.Thread(target=lambda: on_exit(process.wait()), name=f"wait for {process.pid}", daemon=True).start()
    return process


def start_command(
    arguments: Sequence[str],
    log_file: Path,
    keep_open: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `python -m fer_core` with `arguments`, as `start_module` does."""
    return start_module("fer_core", arguments, log_file, keep_open, environment)
