"""What training prints: a line an epoch, and on a terminal a bar that moves within the epoch."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_COLUMNS = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()


class TerminalLines(keras.callbacks.Callback):
    """Prints a line for each whole epoch; moves a bar with each batch if there is one."""

    def __init__(self, epochs: int, steps: int, bar: Progress | None) -> None:
        """Args:
        epochs: of the whole run.
        steps: in an epoch.
        bar: to move; None where nobody watches.
        """
        super().__init__()
        self._epochs, self._bar, self._epoch = epochs, bar, 0
        self._task = bar.add_task("Starting", total=steps) if bar else None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch
        if self._bar:
            self._bar.reset(self._task, description=f"Epoch {epoch + 1}/{self._epochs}")

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self._bar:
            description = f"Epoch {self._epoch + 1}/{self._epochs}  loss {logs['loss']:.3f}"
            self._bar.update(self._task, completed=batch + 1, description=description)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if "val_loss" not in logs:
            return  # it was stopped, and counts for nothing
        text = epoch_line(epoch, self._epochs, logs)
        if self._bar:
            self._bar.console.print(text, highlight=False)
        else:
            print(text, flush=True)


def epoch_line(epoch: int, epochs: int, logs: Mapping[str, float]) -> str:
    """Return what was measured in an epoch as a line.

    Args:
        epoch: counted from 0.
        epochs: of the whole run.
        logs: as the history has them.
    """
    return (
        f"Epoch {epoch + 1}/{epochs}  loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.2%}  "
        f"validation loss {logs['val_loss']:.4f}  validation accuracy {logs['val_accuracy']:.2%}  "
        f"{logs['seconds']:.0f} s"
    )


@contextmanager
def terminal_lines(epochs: int, steps: int, stream: Any = None) -> Generator[TerminalLines, None, None]:
    """Yield the callback that prints, with a bar while the block runs if the stream is a terminal.

    Args:
        epochs: of the whole run.
        steps: in an epoch.
        stream: where the bar goes; the standard error by default, which keeps it out of a pipe.
    """
    console = Console(file=stream or sys.stderr)
    if not console.is_terminal:
        yield TerminalLines(epochs, steps, None)
        return
    with Progress(*_COLUMNS, console=console, transient=True, redirect_stdout=False) as bar:
        yield TerminalLines(epochs, steps, bar)
