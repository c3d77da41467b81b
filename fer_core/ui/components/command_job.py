"""Let a page's job run a command of this package in a process of its own, follow it and end it.

What needs TensorFlow runs this way: the server never loads it, and a process that a file brings
down takes nothing else with it.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_core.background.processes import start_command
from fer_core.errors import FerError
from fer_core.ui.components.jobs import Report

_STEP = re.compile(r"^Step (\d+) of (\d+)", re.MULTILINE)
_ERROR = re.compile(r"^Error: (.+)$", re.MULTILINE)
_LOOK_S = 0.2


def run_command(arguments: Sequence[str], report: Report) -> dict[str, Any]:
    """Run `python -m fer_core` with `arguments` and return the JSON object that it prints.

    Args:
        arguments: of a command with --json that logs "Step 1 of 3" as it goes.
        report: told the steps; the process is killed where it raises.

    Raises:
        FerError: the command failed; the message is its own.
    """
    with tempfile.TemporaryDirectory(prefix="fer-") as folder:
        log = Path(folder) / "log.txt"
        process = start_command(list(arguments), log, environment={"KERAS_BACKEND": "tensorflow"})
        try:
            while process.poll() is None:
                report(*_steps_done(_text(log)))
                time.sleep(_LOOK_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return _outcome(_text(log), process.returncode)


def _steps_done(text: str) -> tuple[int, int]:
    """Return the steps done and in all; a step that is named has just begun."""
    steps = _STEP.findall(text)
    return (int(steps[-1][0]) - 1, int(steps[-1][1])) if steps else (0, 1)


def _outcome(text: str, code: int) -> dict[str, Any]:
    if code == 0:
        # Libraries may have their say after it.
        return json.loads(next(line for line in reversed(text.splitlines()) if line.startswith("{")))
    if said := _ERROR.findall(text):
        raise FerError(said[-1])
    if code < 0:
        raise FerError(
            f"Its process was killed (signal {-code}): most likely this machine ran out of memory. Try a "
            "smaller model, or close other work."
        )
    last = (text.strip().splitlines() or ["nothing"])[-1]
    raise FerError(f"Its process ended with code {code}; the last it said was: {last}. This is a fault of the program.")


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
