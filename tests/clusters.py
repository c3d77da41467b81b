"""A Dask scheduler with workers of their own, as an operator starts them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


@contextmanager
def scheduler_with_workers(folder: Path, **environment: str) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """Yield the address of a scheduler with two workers, and the workers' processes.

    Args:
        folder: for their log and what they write.
        environment: variables of all of them.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    dask = [sys.executable, "-m", "dask"]
    worker = [*dask, "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    starts = [[*dask, "scheduler", "--host", address, "--no-dashboard"], worker, worker]
    with (folder / "log").open("wb") as log:
        processes = [
            subprocess.Popen(
                [*start, *(["--local-directory", str(folder)] if start is worker else [])],
                env={**ENVIRONMENT, **environment},
                stdout=log,
                stderr=log,
            )
            for start in starts
        ]
    try:
        _wait_for(address)
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _wait_for(address: str, seconds: float = 120.0) -> None:
    host, port = address.removeprefix("tcp://").split(":")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, int(port)), 1.0).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the scheduler never answered")
