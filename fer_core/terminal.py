"""What commands show on a terminal while they work."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Protocol


@contextmanager
def without_native_messages() -> Generator[None, None, None]:
    """Keep what native libraries write to the standard error off it: LiteRT announces its delegate there.

    For commands alone, since it holds for the whole process. Errors of Python are raised as ever.
    """
    with suppress(OSError, ValueError):  # there may be no standard error
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def terminate_as_interrupt() -> Generator[None, None, None]:
    """Raise KeyboardInterrupt in the block on a request to terminate, as on Ctrl-C, so that it can clean up."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    terminated = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, terminated)


class Update(Protocol):
    """Move a progress bar."""

    def __call__(self, done: float, total: float, description: str | None = None) -> None:
        """Show that `done` of `total` are done, in any unit, and what is being done if that has changed."""
        ...


@contextmanager
def progress_bar(description: str = "") -> Generator[Update, None, None]:
    """Show a progress bar while the block runs, and yield the function that moves it.

    It is drawn on the standard error, which keeps it out of a table or JSON on the standard output.

    Args:
        description: what is being done: "Reading".
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=None)

        def update(done: float, total: float, description: str | None = None) -> None:
            bar.update(task, completed=done, total=total, description=description)

        yield update
