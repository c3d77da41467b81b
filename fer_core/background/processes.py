"""Start commands of this package as processes of their own, which outlive whoever started them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import fer_core
from fer_core.settings import home_folder

_PROJECT = Path(fer_core.__file__).parents[1]


def start_command(
    arguments: list[str], log_file: Path, keep_open: tuple[int, ...] = (), environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `python -m fer_core` with `arguments` in a session of its own; what it prints is appended to a file.

    It works in the project's folder, and with the home of this process.
    """
    # As an absolute path: a relative one would name another folder there.
    environment = {**os.environ, "FER_HOME": str(home_folder()), **(environment or {})}
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fer_core", *arguments],
            cwd=_PROJECT,
            start_new_session=True,
            pass_fds=keep_open,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    # Somebody must wait for a child, or its end leaves a zombie for as long as this process lives.
    threading.Thread(target=process.wait, name=f"wait for {process.pid}", daemon=True).start()
    return process
