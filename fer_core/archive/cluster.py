"""The files of an archive spread over processes, on this machine or on others, by Dask distributed.

Nothing but names and outcomes travels: each process reads its files and writes their parts itself, so all of them must
see the same folders under the same paths.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from fer_core.archive.parts import Work
from fer_core.archive.progress import Progress
from fer_core.archive.source import Entry
from fer_core.archive.tasks import Outcome, Task, run_task
from fer_core.background.cluster import LOST, Cluster, connected
from fer_core.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client, Future

# Steps that wait at the scheduler for each thread of the workers: more would only fill its memory.
_AHEAD = 16


def analyze_on(cluster: Cluster, work: Work, waiting: Sequence[Entry]) -> Generator[Entry, None, None]:
    """Analyse files by the workers of a cluster, which may come, go and die meanwhile.

    Args:
        cluster: the workers.
        work: how the files are analysed.
        waiting: the files.

    Yields:
        The entries of files as they change. One that several workers died of has failed.

    Raises:
        DependencyError: Dask distributed is not installed.
        ClusterError: the cluster cannot be reached.
        ArchiveError: it has another model or version, or a part cannot be written.
    """
    if not waiting:
        return
    # The largest first, so that no worker is left alone with a long video at the end.
    by_size = sorted(waiting, key=lambda entry: (entry.attempts, -entry.weight))
    with connected(cluster) as client:
        yield from _analyze(client, work, by_size)


def run_in_worker(work: Work, task: Task) -> Outcome:
    """Take a step as `run_task` does, on one processor: the others have workers of their own."""
    cv2.setNumThreads(1)
    return run_task(work, task)


def _analyze(client: Client, work: Work, waiting: Sequence[Entry]) -> Generator[Entry, None, None]:
    """Analyse files; a dying worker makes suspects of all steps that it had, so these are tried again one by one."""
    progress, suspects = Progress(work, waiting), list[Task]()
    for task, outcome in _outcomes(client, work, progress):
        if outcome is None:
            suspects.append(task)
        elif entry := progress.record(task, outcome):
            yield entry
    for suspect in suspects:
        progress.put_back(suspect)
        for task, outcome in _outcomes(client, work, progress):
            entry = progress.record(task, outcome) if outcome else progress.fail(task, _deadly(task.file))
            if entry:
                yield entry


def _outcomes(client: Client, work: Work, progress: Progress) -> Generator[tuple[Task, Outcome | None], None, None]:
    """Yield steps with their outcomes as they are done; None where several workers died that took the step."""
    from distributed import as_completed

    completed = as_completed(loop=client.loop)
    running: dict[Any, Task] = {}
    ahead = 0
    while progress or running:
        if progress and len(running) <= ahead // 2:  # not for each step: asking for the workers takes a while
            ahead = _AHEAD * _thread_count(client)
        while progress and len(running) < ahead:
            task = progress.take()
            future = client.submit(run_in_worker, work, task, pure=False)
            running[future.key] = task
            completed.add(future)
        if running:
            future = next(completed)
            yield running.pop(future.key), _result(future)


def _thread_count(client: Client) -> int:
    """Return how many steps are taken at a time; at least 2, so that workers still to come find some."""
    try:
        threads: Any = client.nthreads()
    except OSError as error:
        raise ClusterError(LOST) from error
    return max(2, sum(threads.values()))


def _result(future: Future[Any]) -> Outcome | None:
    """Return the outcome of a step; None if several workers died that took it."""
    from distributed import KilledWorker

    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise ClusterError(LOST)
    error: Any = future.exception()
    if isinstance(error, KilledWorker):
        return None
    raise error


def _deadly(file: str) -> str:
    return (
        f"{Path(file).name}: several workers died one after the other while they analysed it. Check their "
        "memory, and whether the file is damaged."
    )
