"""Start background jobs, and let no two of them run that must not."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from fer_core.background.jobs import (
    EXIT_FILE,
    LOCK_FILE,
    OUTCOME_FILE,
    REQUEST_FILE,
    Job,
    Request,
    jobs_root,
    no_room,
    read_job,
    running_job,
    sweep_jobs,
)
from fer_core.background.locks import take, write_holder
from fer_core.background.processes import start_module
from fer_core.background.task import Task
from fer_core.errors import JobError
from fer_core.files import write_json

LOCKS_VARIABLE = "FER_JOB_LOCKS"
_CHUNK_BYTES = 1 << 20
# Longer names do not fit on every disk.
_MAX_NAME_BYTES = 200


def start_job(task: Task, owner: str = "", uploads: Mapping[str, BinaryIO] | None = None) -> Job:
    """Start a process that runs `task`.

    Args:
        task: what to do; an instance of a frozen dataclass at the top of a module of this package.
        owner: id of who starts it: outcomes are shown to them.
        uploads: files for the job's input folder by their plain names, open for reading; copied in chunks.

    Raises:
        JobError: a job with the same key runs, or there is no room for the job's files.
    """
    sweep_jobs()
    key_lock = take(_key_lock(task.key))
    if key_lock is None:
        raise JobError(_busy(task))
    folder = jobs_root() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    locks = [key_lock]
    try:
        own_lock = take(folder / LOCK_FILE)
        assert own_lock is not None  # nobody else knows the folder
        locks.append(own_lock)
        _copy_uploads(uploads or {}, folder / "input")
        (folder / "output").mkdir()
        _launch(task, owner, folder, locks)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise no_room(f"The files of “{task.title}”", error) from error
    finally:
        for lock in locks:
            os.close(lock)  # from here on they are the new process's own
    job = read_job(folder)
    assert job is not None
    return job


def plain_name(name: str) -> str:
    """Return a name from elsewhere, such as that of an upload, as one that a file can have in any folder.

    >>> plain_name("../a b.csv"), plain_name("..")
    ('a b.csv', 'upload')
    """
    name = re.sub(r"[\x00-\x1f\\]", "_", Path(name).name).strip(". ") or "upload"
    suffix = Path(name).suffix[:20]
    stem = name.removesuffix(suffix).encode()[: _MAX_NAME_BYTES - len(suffix.encode())].decode(errors="ignore")
    return stem + suffix


def _launch(task: Task, owner: str, folder: Path, locks: list[int]) -> None:
    kind = type(task)
    request = Request(
        task=f"{kind.__module__}:{kind.__qualname__}",
        arguments=json.loads(json.dumps(asdict(task))),
        kind=task.kind,
        key=task.key,
        title=task.title,
        owner=owner,
        created_s=time.time(),
        keep_s=task.keep_s,
    )
    write_json(folder / REQUEST_FILE, asdict(request))

    def note_exit(code: int) -> None:
        if folder.is_dir() and not (folder / OUTCOME_FILE).exists():
            write_json(folder / EXIT_FILE, {"code": code})

    process = start_module(
        "fer_core.background.worker",
        [str(folder)],
        folder / "log.txt",
        locks,
        {**task.environment, LOCKS_VARIABLE: ",".join(map(str, locks))},
        note_exit,
    )
    for lock in locks:
        write_holder(lock, process.pid)


def _copy_uploads(uploads: Mapping[str, BinaryIO], folder: Path) -> None:
    folder.mkdir()
    for name, upload in uploads.items():
        upload.seek(0)  # it may have been read before
        with (folder / plain_name(name)).open("wb") as file:
            shutil.copyfileobj(upload, file, _CHUNK_BYTES)


def _key_lock(key: str) -> Path:
    return jobs_root() / ".locks" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.lock"


def _busy(task: Task) -> str:
    other = running_job(task.key)
    title = other.title if other else "Work of the same kind"
    return f"“{title}” is still running, and only one such job can run at a time. Wait for its end, or cancel it."
