"""The files of an archive spread over processes, on this machine or on others, by Dask distributed.

Nothing but names and outcomes travels: each process reads its files and writes their parts itself, so all of them must
see the same folders under the same paths.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from fer_core.archive.parts import Work, analyze_source
from fer_core.archive.source import FAILED, Entry
from fer_core.dependencies import INSTALL_CLUSTER, require_package
from fer_core.errors import ArchiveError

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL = "local"
_CONNECT_S = 10.0
# Files that wait at the scheduler for each thread of the workers: more would only fill its memory.
_AHEAD = 16
_LOST = "The connection to the scheduler was lost. Start the same command again: what is done stays done."


@dataclass(frozen=True)
class Cluster:
    """The processes that analyse an archive.

    Attributes:
        address: of a Dask scheduler, such as "tcp://10.0.0.1:8786"; `LOCAL` for processes of this machine.
        jobs: how many processes of this machine; as many as it has processors if None.

    Raises:
        ArchiveError: `jobs` is given for a scheduler, whose workers are started elsewhere.
    """

    address: str = LOCAL
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.jobs and self.address != LOCAL:
            raise ArchiveError(
                f"--jobs counts processes on this machine; those of {self.address} are started with `dask worker`. "
                "Leave one of both away."
            )


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
        ArchiveError: the cluster cannot be reached, or has another model or version; or a part cannot be written.
    """
    if not waiting:
        return
    # The largest first, so that no worker is left alone with a long video at the end.
    by_size = sorted(waiting, key=lambda entry: (entry.attempts, -entry.weight))
    with _connected(cluster) as client:
        yield from _analyze(client, work, by_size)


def analyze_in_worker(work: Work, file: str, path: Path) -> Entry:
    """Analyse a file as `analyze_source` does, on one processor: the others have workers of their own."""
    cv2.setNumThreads(1)
    return analyze_source(work, file, path)


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
            future = client.submit(analyze_in_worker, work, entry.file, Path(entry.file).absolute(), pure=False)
            running[future.key] = entry
            completed.add(future)
        future = next(completed)
        yield running.pop(future.key), _result(future)


def _thread_count(client: Client) -> int:
    """Return how many files are analysed at a time; at least 2, so that workers still to come find some."""
    try:
        threads: Any = client.nthreads()
    except OSError as error:
        raise ArchiveError(_LOST) from error
    return max(2, sum(threads.values()))


def _result(future: Future[Any]) -> Entry | None:
    """Return the outcome of a file; None if several workers died that had it."""
    from distributed import KilledWorker

    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise ArchiveError(_LOST)
    error: Any = future.exception()
    if isinstance(error, KilledWorker):
        return None
    raise error


def _deadly(entry: Entry) -> str:
    return (
        f"{Path(entry.file).name}: several workers died one after the other while they analysed it. Check their "
        "memory, and whether the file is damaged."
    )


@contextmanager
def _connected(cluster: Cluster) -> Generator[Client, None, None]:
    require_package("distributed", "Work by several processes", INSTALL_CLUSTER)
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.WARNING)
    logging.getLogger("distributed.utils").setLevel(logging.CRITICAL)  # tracebacks of errors that are raised as well
    if cluster.address == LOCAL:
        jobs = cluster.jobs or os.cpu_count() or 1
        any_port = "127.0.0.1:0"
        with (
            LocalCluster(jobs, threads_per_worker=1, host="127.0.0.1", dashboard_address=any_port) as local,
            Client(local) as client,
        ):
            yield client
        return
    try:
        client = Client(cluster.address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ArchiveError(
            f"No scheduler answers at {cluster.address}. Start one with `dask scheduler`, and name the address that it "
            "prints."
        ) from error
    with client:
        yield client
