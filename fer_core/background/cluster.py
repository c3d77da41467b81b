"""Processes that share work, on this machine or on others, by Dask distributed.

Nothing but names and outcomes travels between them, so all must see the same folders under the same paths.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.background.batch_cluster import SUFFIXES, start_batch_cluster
from fer_core.dependencies import INSTALL_CLUSTER, require_package
from fer_core.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
LOST = "The connection to the scheduler was lost. Start the same command again: what is done stays done."
_CONNECT_S = 10.0


@dataclass(frozen=True)
class Cluster:
    """The processes of a cluster.

    Attributes:
        address: of a Dask scheduler, such as "tcp://10.0.0.1:8786"; path of a YAML file, see `batch_cluster`, for jobs
            of a batch system; `LOCAL` for processes of this machine.
        jobs: how many processes of this machine; as many as it has processors if None.

    Raises:
        ClusterError: `jobs` is given for a scheduler, whose workers are started elsewhere.
    """

    address: str = LOCAL
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.jobs and self.address != LOCAL:
            raise ClusterError(
                f"--jobs counts processes on this machine; those of {self.address} are started with `dask worker`, or "
                "as its own `jobs` say. Leave one of both away."
            )


@contextmanager
def connected(cluster: Cluster) -> Generator[Client, None, None]:
    """Connect to the workers of a cluster while the block runs; local ones are started and end with it.

    Raises:
        DependencyError: Dask distributed is not installed.
        ClusterError: no scheduler answers, or the jobs cannot be started.
    """
    require_package("distributed", "Work by several processes", INSTALL_CLUSTER)
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.WARNING)
    logging.getLogger("distributed.utils").setLevel(logging.CRITICAL)  # tracebacks of errors that are raised as well
    if cluster.address == LOCAL:
        jobs = cluster.jobs or os.cpu_count() or 1
        any_port = "127.0.0.1:0"
        local: Any = LocalCluster(jobs, threads_per_worker=1, host="127.0.0.1", dashboard_address=any_port)
        with local, Client(local) as client:
            yield client
        return
    if cluster.address.endswith(SUFFIXES):
        batch = start_batch_cluster(Path(cluster.address))
        with batch, Client(batch) as client:
            yield client
        return
    try:
        client = Client(cluster.address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No scheduler answers at {cluster.address}. Start one with `dask scheduler`, and name the address that it "
            "prints."
        ) from error
    with client:
        yield client
