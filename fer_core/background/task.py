"""What a background job does: a task with typed fields, and what it is given while it runs."""

from __future__ import annotations

import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from fer_core.files import write_json

PROGRESS_FILE = "progress.json"
_WRITE_EVERY_S = 0.25
# After a request to cancel: until what does not report is interrupted, and until the process ends in any case.
_INTERRUPT_AFTER_S = 2
_EXIT_AFTER_S = 15.0
_CANCELLED_EXIT = 143


@dataclass(frozen=True)
class Task(ABC):
    """A piece of work for a process of its own.

    Subclasses are frozen dataclasses whose fields are plain JSON values: they travel to the process in a file.

    Attributes:
        kind: names tasks of this class, as the pages look for them.
        environment: variables that its process is given.
        keep_s: how long the outcome is kept after it was last looked at, seconds.
    """

    kind: ClassVar[str]
    environment: ClassVar[Mapping[str, str]] = {}
    keep_s: ClassVar[float] = 86_400.0

    @property
    @abstractmethod
    def title(self) -> str:
        """What is done, as a page says it: "Reading fer2013.csv"."""

    @property
    def key(self) -> str:
        """Jobs with the same key never run at the same time."""
        return self.kind

    @abstractmethod
    def run(self, job: JobContext) -> dict[str, Any]:
        """Do the work and return its result as plain JSON values.

        Raises:
            FerError: the work failed; the message is shown to whoever started the job.
        """


class JobCancelled(BaseException):
    """Raised inside a job that was cancelled. As KeyboardInterrupt it passes every `except Exception`."""


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        done: units done, such as faces or bytes.
        total: units in all; 0 while unknown.
        phase: what is being done, as text; may be empty.
        since_s: when the phase began to count, seconds since 1970.
        since_done: units done then.
        time_s: when this was reported, seconds since 1970.
    """

    done: float = 0.0
    total: float = 0.0
    phase: str = ""
    since_s: float = 0.0
    since_done: float = 0.0
    time_s: float = 0.0

    @property
    def share(self) -> float | None:
        """Share that is done, 0 to 1, or None while unknown."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def left_s(self) -> float | None:
        """Time left in seconds at the pace of this phase, or None while that cannot be said."""
        spent_s, counted = self.time_s - self.since_s, self.done - self.since_done
        # The first moments say little about the pace of the rest.
        return spent_s * (self.total - self.done) / counted if spent_s > 1 and counted > 0 and self.total else None


class JobContext:
    """What a running task uses: its folders, a way to report progress, and the request to cancel."""

    def __init__(self, folder: Path) -> None:
        """Args:
        folder: of the job.
        """
        self.inputs = folder / "input"
        self.outputs = folder / "output"
        self.cancel_requested = False
        self._file = folder / PROGRESS_FILE
        self._progress = Progress()
        self._written_s = 0.0

    def progress(self, done: float, total: float, phase: str = "") -> None:
        """Report how far the job is, in any unit; it is written a few times a second.

        Raises:
            JobCancelled: the job is to end.
        """
        if self.cancel_requested:
            raise JobCancelled
        now_s, last = time.time(), self._progress
        self._progress = replace(last, done=done, total=total, phase=phase, time_s=now_s)
        is_new = phase != last.phase or total != last.total or not last.since_s
        if is_new:
            self._progress = replace(self._progress, since_s=now_s, since_done=done)
        if is_new or now_s - self._written_s >= _WRITE_EVERY_S:
            self._written_s = now_s
            with suppress(OSError):  # a full disk hides how far the job is, and ends it only where it writes results
                write_json(self._file, asdict(self._progress))

    def finish_up(self) -> None:
        """After a request to cancel: let the task keep what it has done; nothing interrupts it for some seconds."""
        signal.alarm(0)

    @contextmanager
    def cancellable(self) -> Generator[None, None, None]:
        """While the block runs, let SIGTERM and SIGINT end it: at its next report, or after two seconds anywhere."""

        def request(number: int, frame: object) -> None:
            self.cancel_requested = True
            signal.alarm(_INTERRUPT_AFTER_S)
            # Compiled code may keep Python from raising anything.
            deadline.start()

        def interrupt(number: int, frame: object) -> None:
            raise JobCancelled

        deadline = _ExitTimer()
        handlers = {signal.SIGTERM: request, signal.SIGINT: request, signal.SIGALRM: interrupt}
        previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            signal.alarm(0)
            deadline.cancel()
            for number, handler in previous.items():
                signal.signal(number, handler)


class _ExitTimer:
    """Ends this process after a while, however busy it is."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(_EXIT_AFTER_S, os._exit, (_CANCELLED_EXIT,))
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
