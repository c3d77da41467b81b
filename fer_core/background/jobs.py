"""Background jobs: each is a process with a folder on disk, so every tab, server and restart finds it again.

| file in `jobs/<id>` | holds |
| --- | --- |
| `request.json` | the task, its arguments, who started it and when |
| `process.lock` | a lock that the job's process holds as long as it lives |
| `progress.json` | how far it is |
| `outcome.json` | how it ended: its result, or why it failed |
| `log.txt` | what it printed |
| `input`, `output` | uploads that it works on, files that it made |
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from fer_core.background.locks import is_held, take, terminate_holder
from fer_core.background.task import PROGRESS_FILE, Progress
from fer_core.errors import JobError
from fer_core.files import read_json
from fer_core.settings import home_folder

State = Literal["running", "finished", "failed", "cancelled"]

REQUEST_FILE, OUTCOME_FILE, EXIT_FILE, LOCK_FILE = "request.json", "outcome.json", "exit.json", "process.lock"
CANCEL_FILE = "cancel"
_ENDS: Mapping[str, State] = {"finished": "finished", "failed": "failed", "cancelled": "cancelled"}
_SEEN_FILE, _LOG_FILE = "seen", "log.txt"
# A folder without a request is one that a server is filling, or was killed while it did.
_ABANDONED_AFTER_S = 60.0
_POLL_S = 0.05


@dataclass(frozen=True)
class Request:
    """What a job was asked to do.

    Attributes:
        task: module and class of the `Task`, "module:Class".
        arguments: its fields.
        kind: of the task.
        key: jobs with the same key never run at the same time.
        title: what is done, as a page says it.
        owner: who started it, as an id that only their browser tab knows.
        created_s: when, seconds since 1970.
        keep_s: how long the outcome is kept after it was last looked at, seconds.
    """

    task: str
    arguments: Mapping[str, Any]
    kind: str
    key: str
    title: str
    owner: str
    created_s: float
    keep_s: float


@dataclass(frozen=True)
class Job:
    """A job as it was when its folder was read.

    Attributes:
        folder: of its files.
        request: what it was asked to do.
        state: whether it runs, or how it ended.
        progress: how far it is.
        result: of the task if it finished.
        error: why it failed, as text for whoever started it.
    """

    folder: Path
    request: Request
    state: State
    progress: Progress
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    error: str = ""

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.state == "running"

    @property
    def title(self) -> str:
        """What is done, as a page says it."""
        return self.request.title

    @property
    def outputs(self) -> Path:
        """Folder of the files that it made."""
        return self.folder / "output"

    @property
    def log_file(self) -> Path:
        """What it printed."""
        return self.folder / _LOG_FILE

    @property
    def cancelling(self) -> bool:
        """Whether it runs and was asked to end."""
        return self.running and (self.folder / CANCEL_FILE).exists()

    def refresh(self) -> Job:
        """Return the job as it is now; as it was if it has been removed."""
        return read_job(self.folder) or self

    def wait(self, timeout_s: float) -> Job:
        """Return the job once it has ended.

        Raises:
            TimeoutError: it still runs after `timeout_s` seconds.
        """
        end_s = time.monotonic() + timeout_s
        while (job := self.refresh()).running:
            if time.monotonic() > end_s:
                raise TimeoutError(f"{self.title} has not ended after {timeout_s:.0f} s. Its log is {self.log_file}.")
            time.sleep(_POLL_S)
        return job

    def cancel(self) -> None:
        """Ask the job to end; its process cleans up after itself."""
        (self.folder / CANCEL_FILE).touch()
        terminate_holder(self.folder / LOCK_FILE)

    def mark_seen(self) -> None:
        """Keep the outcome for another while, as somebody looks at it."""
        if self.folder.is_dir():
            (self.folder / _SEEN_FILE).touch()

    def remove(self) -> None:
        """Delete the folder of a job that has ended, and all that it holds."""
        if not self.folder.is_dir() or (lock := take(self.folder / LOCK_FILE)) is None:
            return
        (self.folder / REQUEST_FILE).unlink(missing_ok=True)  # first, so that nobody finds half a job
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(lock)


def jobs_root() -> Path:
    """Return the folder of all jobs."""
    return home_folder() / "jobs"


def read_job(folder: Path) -> Job | None:
    """Read the job in `folder`, or return None if there is none that can be read."""
    try:
        request = Request(**_read_object(folder / REQUEST_FILE))
        request = replace(request, created_s=float(request.created_s), keep_s=float(request.keep_s))
    except (FileNotFoundError, TypeError, ValueError):
        return None
    # The lock first: a job that ends in between has written its outcome by then.
    held = is_held(folder / LOCK_FILE)
    progress = _progress(folder)
    try:
        outcome = _read_object(folder / OUTCOME_FILE)
        state, result, error = _ENDS[outcome["state"]], outcome.get("result", {}), outcome.get("error", "")
    except (FileNotFoundError, KeyError, TypeError):
        if held:
            return Job(folder, request, "running", progress)
        if (folder / CANCEL_FILE).exists():
            return Job(folder, request, "cancelled", progress)
        return Job(folder, request, "failed", progress, error=_unexpected_end(folder))
    return Job(folder, request, state, progress, result, error)


def list_jobs() -> list[Job]:
    """Return all jobs, the newest first."""
    folders = [path.parent for path in jobs_root().glob(f"[!.]*/{REQUEST_FILE}")]
    jobs = [job for folder in folders if (job := read_job(folder)) is not None]
    return sorted(jobs, key=lambda job: job.request.created_s, reverse=True)


def running_job(key: str) -> Job | None:
    """Return the job that runs under `key`, whoever started it."""
    return next((job for job in list_jobs() if job.running and job.request.key == key), None)


def sweep_jobs(now_s: float | None = None) -> None:
    """Delete what nobody needs any more: outcomes past their time, and remains of processes that were killed."""
    now_s = time.time() if now_s is None else now_s
    for folder in jobs_root().glob("[!.]*"):
        if is_held(folder / LOCK_FILE):
            continue
        job = read_job(folder)
        if job is None:
            if now_s - _changed_s(folder) > _ABANDONED_AFTER_S:
                shutil.rmtree(folder, ignore_errors=True)
        elif now_s - _last_use_s(job) > job.request.keep_s:
            job.remove()
        else:
            shutil.rmtree(folder / "input", ignore_errors=True)  # a job that was killed left its uploads


def _last_use_s(job: Job) -> float:
    files = (job.folder / name for name in (REQUEST_FILE, PROGRESS_FILE, OUTCOME_FILE, _SEEN_FILE))
    return max(map(_changed_s, files))


def _changed_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _progress(folder: Path) -> Progress:
    try:
        return Progress(**_read_object(folder / PROGRESS_FILE))
    except (FileNotFoundError, TypeError):
        return Progress()


def _unexpected_end(folder: Path) -> str:
    """Say why a process ended without an outcome, as far as that is known."""
    log = f"Its log is {folder / _LOG_FILE}."
    try:
        code = int(_read_object(folder / EXIT_FILE)["code"])
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return (
            "Its process ended unexpectedly: it was killed, memory ran out, or this machine was restarted. "
            f"Start it again. {log}"
        )
    if code == -signal.SIGKILL:
        return (
            "Its process was killed, most likely because this machine ran out of memory. Close other programs, or "
            f"work on less at a time, and start it again. {log}"
        )
    if code < 0:
        return f"Its process crashed ({signal.Signals(-code).name}). This is a fault of the program. {log}"
    return f"Its process ended early with code {code}. This is a fault of the program. {log}"


def _read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; a file that is none counts as an empty one."""
    try:
        content = read_json(path)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return cast(dict[str, Any], content) if isinstance(content, dict) else {}


def no_room(what: str, error: OSError) -> JobError:
    """Return the error that says that `what` cannot be written under the home folder."""
    return JobError(
        f"{what} cannot be written to {jobs_root()}: {error.strerror or error}. Free some space there, and check that "
        "this machine's user may write to it."
    )
