"""Work that takes longer than a click, in a thread of its own: the page goes on, and a reload finds it again.

A job reports how far it is; a fragment of the page looks at that on its own timer. Stopping a job
makes its next report raise, so that it ends where it stands and cleans up after itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from fer_core.errors import FerError

log = logging.getLogger(__name__)

# Two viewers may press at once.
_starting = threading.Lock()

Report = Callable[[float, float], None]


class JobStopped(FerError):
    """Raised inside a job that its user has stopped."""


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        share: 0 to 1, or None as long as nothing was reported.
        left_s: time left in seconds at the pace so far, or None while that cannot be said.
        running: whether it goes on.
        error: why it ended, in words; empty if it did not fail.
    """

    share: float | None = None
    left_s: float | None = None
    running: bool = True
    error: str = ""


class Job:
    """One piece of work in a daemon thread."""

    def __init__(self, title: str, work: Callable[[Report], Any]) -> None:
        """Start `work`; it is given a function to report to: (done, total), in any unit.

        Args:
            title: what is done, as the page says it: "Reading fer2013.csv".
            work: raises a `FerError` where it fails; anything else is a bug, logged as one.
        """
        self.title = title
        self.result: Any = None
        self._progress = Progress()
        self._stop = threading.Event()
        self._start_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(work,), name=f"job: {title}", daemon=True)
        self._thread.start()

    @property
    def progress(self) -> Progress:
        """How far the job is now."""
        return self._progress

    def stop(self) -> None:
        """End the job at its next report."""
        self._stop.set()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until the job has ended."""
        self._thread.join(timeout_s)

    def _run(self, work: Callable[[Report], Any]) -> None:
        error = "This failed for a reason that the server's log names. It is a fault of the program."
        try:
            self.result = work(self._report)
            error = ""
        except JobStopped:
            error = ""
        except FerError as known:
            error = str(known)
        finally:
            self._progress = replace(self._progress, running=False, left_s=None, error=error)

    def _report(self, done: float, total: float) -> None:
        if self._stop.is_set():
            raise JobStopped(f"{self.title} was stopped.")
        share = min(done / total, 1.0) if total else None
        spent_s = time.monotonic() - self._start_s
        # The first moments say little about the pace of the rest.
        left_s = spent_s * (1 - share) / share if share and spent_s > 1 else None
        self._progress = Progress(share, left_s)


@st.cache_resource(show_spinner=False)
def _jobs() -> dict[str, Job]:
    return {}


def find_job(key: str) -> Job | None:
    """Return the job that was started last under `key` on this server and not forgotten since."""
    return _jobs().get(key)


def start_job(key: str, title: str, work: Callable[[Report], Any]) -> Job:
    """Start a job under `key`, or return the one that runs under it."""
    jobs = _jobs()
    with _starting:
        if key not in jobs or not jobs[key].progress.running:
            jobs[key] = Job(title, work)
        return jobs[key]


def forget_job(key: str) -> None:
    """Let go of a job that has ended and whose outcome was taken."""
    _jobs().pop(key, None)


def forget_ended(prefix: str) -> None:
    """Let go of all jobs that have ended and whose key begins with `prefix`."""
    for key, job in list(_jobs().items()):
        if key.startswith(prefix) and not job.progress.running:
            forget_job(key)


def show_job(key: str, job: Job) -> None:
    """Show how far a running job is, with a button that stops it; rerun the page when it ends."""
    st.fragment(_show, run_every=0.5)(key, job)


def _show(key: str, job: Job) -> None:
    progress = job.progress
    if not progress.running:
        st.rerun()
    with (
        st.container(border=True, key=f"job_{key}"),
        st.container(horizontal=True, vertical_alignment="center", gap="medium"),
    ):
        st.progress(progress.share or 0.0, progress_words(job.title, progress))
        st.button("Stop", key=f"stop_{key}", on_click=job.stop)


def progress_words(title: str, progress: Progress) -> str:
    """Say how far a job is.

    >>> progress_words("Reading fer2013.csv", Progress(0.43, 12.3))
    'Reading fer2013.csv · 43 % · about 12 s left'
    """
    parts = [title]
    if progress.share is not None:
        parts.append(f"{progress.share * 100:.0f} %")
    if progress.left_s is not None:
        parts.append(f"about {_duration(progress.left_s)} left")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
