"""Where runs train beside each other: in processes of this machine, or by the workers of a cluster.

Every run has its folder and a process of its own, as if it had been started by itself: one that outlives its worker
goes on, and one that was killed is taken up again at its last whole epoch.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.background.cluster import LOCAL, LOST, Cluster, connected
from fer_core.errors import ClusterError
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.process import launch
from fer_core.training.timing.device import SHARE_VARIABLE, share_of_device

POLL_S = 0.5
# How often a run is started whose process is killed.
_ATTEMPTS = 3
_GPU = "GPU"


@dataclass(frozen=True)
class Workers:
    """What trains runs.

    Attributes:
        capacity: how many runs train at a time; it may change.
        start: begins to train a run, given by its folder, and returns a future of `outcome`.
    """

    capacity: Callable[[], int]
    start: Callable[[Path], Any]


@contextmanager
def workers_of(cluster: Cluster) -> Generator[Workers, None, None]:
    """Yield what trains runs on a cluster; without an address, as many processes of this machine as it has jobs.

    Raises:
        ClusterError: it cannot be reached.
    """
    if cluster.address != LOCAL:
        with connected(cluster) as client:
            yield _dask_workers(client)
        return
    jobs = cluster.jobs or 1
    shares: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(jobs):
        shares.put(number)

    def train(path: Path) -> str:
        number = shares.get()
        try:
            return train_to_end(path, share_of_device(number, jobs))
        finally:
            shares.put(number)

    pool = ThreadPoolExecutor(jobs, "runs")
    try:
        yield Workers(lambda: jobs, lambda path: pool.submit(train, path))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def train_to_end(path: Path, environment: dict[str, str]) -> str:
    """Train a run in a process of its own, started again if it is killed, and return the state that it ends in."""
    run = RunFolder(path)
    for _ in range(_ATTEMPTS):
        # It may have gone on, or to its end, while the worker that had it before died.
        if not _is_live(run) and state_of(run) != "finished":
            launch(run, environment)
        while _is_live(run):
            time.sleep(POLL_S)
        if (state := state_of(run)) != "interrupted":
            return state
    return state_of(run)


def train_in_worker(path: Path) -> str:
    """Train a run as `train_to_end` does, as one of a cluster's workers: each has a share of its device."""
    from distributed import get_worker

    return train_to_end(path, {SHARE_VARIABLE: "".join(c if c.isalnum() else "-" for c in str(get_worker().name))})


def outcome(future: Any) -> str:
    """Return the state that a run ended in, of a future that is done; "killed" if its workers died one by one.

    Raises:
        ClusterError: the connection to the cluster was lost.
        FerError: it could not be started.
    """
    if getattr(future, "status", None) in ("cancelled", "lost"):
        raise ClusterError(LOST)
    error = future.exception()
    if error is None:
        return future.result()
    if type(error).__name__ == "KilledWorker":
        return "killed"
    raise error


def state_of(run: RunFolder) -> str:
    """Return the state of a run; "new" before its first start."""
    status = run.status()
    return status.state if status else "new"


def _is_live(run: RunFolder) -> bool:
    status = run.status()
    return status is not None and status.live


def _dask_workers(client: Any) -> Workers:
    def capacity() -> int:
        info = client.scheduler_info(n_workers=-1)["workers"].values()
        gpus = sum(worker["resources"].get(_GPU, 0) for worker in info)
        return max(1, int(gpus or sum(worker["nthreads"] for worker in info)))

    def start(path: Path) -> Any:
        info = client.scheduler_info(n_workers=-1)["workers"].values()
        on_gpu = any(worker["resources"].get(_GPU) for worker in info)
        return client.submit(train_in_worker, path, pure=False, resources={_GPU: 1} if on_gpu else None)

    return Workers(capacity, start)
