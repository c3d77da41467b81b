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


class Update(Protocol):
    """Move a progress bar."""

    def __call__(self, done: float, total: float, description: str | None = None) -> None:
        """Show that `done` of `total` are done, in any unit, and what is being done if that has changed."""
        ...


@contextmanager
def interruptible(update: Update, at_once: bool = False) -> Generator[Update, None, None]:
    """Yield `update` made to raise KeyboardInterrupt after Ctrl-C or a request to terminate, so that all is cleaned up.

    Nothing is interrupted between two updates: an exception that comes anywhere may leave a lock taken that another
    thread waits for. A second request is raised at once, wherever the program is.

    Args:
        update: is called in the block again and again.
        at_once: whether the first request is raised at once too, for a block that mostly waits for other processes.
    """
    requested = at_once

    def request(*_: object) -> None:
        nonlocal requested
        if requested:
            raise KeyboardInterrupt
        requested = True

    def checked(done: float, total: float, description: str | None = None) -> None:
        if requested and not at_once:
            raise KeyboardInterrupt
        update(done, total, description)

    previous = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield checked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


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
