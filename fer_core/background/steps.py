"""The steps of a conversion, reported to whoever waits for it: a job's progress, or the log of a command."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

# (steps done; steps in all; what the current step does), as `JobContext.progress` takes it.
Steps = Callable[[int, int, str], None]


def log_steps(done: int, total: int, phase: str) -> None:
    """Log a step that begins: "Step 2 of 3: converting"."""
    log.info("Step %d of %d: %s", done + 1, total, phase)
