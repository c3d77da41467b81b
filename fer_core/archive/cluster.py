"""The files of an archive spread over processes, on this machine or on others, by Dask distributed.

Nothing but names and outcomes travels: each process reads its files and writes their parts itself, so all of them must
see the same folders under the same paths.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from fer_core.archive.parts import Work, analyze_source
from fer_core.archive.remote import place_of
from fer_core.archive.source import FAILED, Entry
from fer_core.background.cluster import LOST, Cluster, connected
from fer_core.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client, Future

# Files that wait at the scheduler for each thread of the workers: more would only fill its memory.
_AHEAD = 16


def analyze_on(cluster: Cluster, work: Work, waiting: Sequence[Entry]) -> Generator[Entry, None, None]:
    """Analyse files by the workers of a cluster, which may come, go and die meanwhile.

    Args:
        cluster: the workers.
        work: how the files are analysed.
        waiting: the files.

    Yields:
        Of each file what `analyze_source` returns, as they are done. One that several workers died of has failed.

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


def analyze_in_worker(work: Work, file: str, place: Path | str) -> Entry:
    """Analyse a file as `analyze_source` does, on one processor: the others have workers of their own."""
    cv2.setNumThreads(1)
    return analyze_source(work, file, place)


def _analyze(client: Client, work: Work, waiting: Sequence[Entry]) -> Generator[Entry, None, None]:
    """Analyse files; a dying worker makes suspects of all files that it had, so these are tried again one by one."""
    suspects: list[Entry] = []
    for entry, outcome in _outcomes(client, work, waiting):
        if outcome:
            yield outcome
        else:
            suspects.append(entry)
    for suspect in suspects:
        for entry, outcome in _outcomes(client, work, [suspect]):
            yield outcome or dataclasses.replace(entry, state=FAILED, reason=_deadly(entry))


def _outcomes(
    client: Client, work: Work, waiting: Sequence[Entry]
) -> Generator[tuple[Entry, Entry | None], None, None]:
    """Yield files with their outcomes as they are done; None where several workers died that had the file."""
    from distributed import as_completed

    queue, completed = list(reversed(waiting)), as_completed(loop=client.loop)
    running: dict[Any, Entry] = {}
    ahead = 0
    while queue or running:
        if queue and len(running) <= ahead // 2:  # not for each file: asking for the workers takes a while
            ahead = _AHEAD * _thread_count(client)
        while queue and len(running) < ahead:
            entry = queue.pop()
            future = client.submit(analyze_in_worker, work, entry.file, place_of(entry.file), pure=False)
            running[future.key] = entry
            completed.add(future)
        future = next(completed)
        yield running.pop(future.key), _result(future)


def _thread_count(client: Client) -> int:
    """Return how many files are analysed at a time; at least 2, so that workers still to come find some."""
    try:
        threads: Any = client.nthreads()
    except OSError as error:
        raise ClusterError(LOST) from error
    return max(2, sum(threads.values()))


def _result(future: Future[Any]) -> Entry | None:
    """Return the outcome of a file; None if several workers died that had it."""
    from distributed import KilledWorker

    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise ClusterError(LOST)
    error: Any = future.exception()
    if isinstance(error, KilledWorker):
        return None
    raise error


def _deadly(entry: Entry) -> str:
    return (
        f"{Path(entry.file).name}: several workers died one after the other while they analysed it. Check their "
        "memory, and whether the file is damaged."
    )
