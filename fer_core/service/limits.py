"""How much the service takes at once: sizes of requests, and how many run and wait."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi import HTTPException, Request, status
from starlette.requests import ClientDisconnect

from fer_core.errors import SettingsError

T = TypeVar("T")

_SMOOTHING = 0.1  # weight of the newest request in the mean time of one


@dataclass(frozen=True)
class Limits:
    """What one worker of the service accepts.

    Attributes:
        max_body_bytes: size of a request's body.
        max_pixels: width times height of one image.
        max_images: number of images in a request.
        threads: requests and frames of streams that are worked on at once.
        max_waiting: further requests that may wait for a thread; any more are told to come back.
        max_per_client: requests of one client, by its key or else its address, that may be in progress.
        max_streams: streams that may be open.
        max_frame_bytes: size of a stream's frame as a file.
        max_buffered_bytes: size of the bodies of all requests in progress together.
        body_timeout_s: time in which a body must have arrived, in seconds.
        idle_timeout_s: a stream that sends no frame for so long is closed, in seconds.

    Raises:
        SettingsError: a limit is not positive, or `max_waiting` is negative.
    """

    max_body_bytes: int = 32_000_000
    max_pixels: int = 60_000_000
    max_images: int = 32
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    max_waiting: int = 128
    max_per_client: int = 64
    max_streams: int = 16
    max_frame_bytes: int = 4_000_000
    max_buffered_bytes: int = 512_000_000
    body_timeout_s: float = 30.0
    idle_timeout_s: float = 60.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            smallest = 0 if name == "max_waiting" else 1
            if value < smallest:
                raise SettingsError(f"{name} must be {smallest} or more, got {value}. Choose a larger value.")


class Admission:
    """One request in progress, and how much of its body is in memory."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._bytes = 0

    def hold(self, count: int) -> None:
        """Count so many further bytes of the body as in memory.

        Raises:
            HTTPException: 503, the bodies of all requests together are too large.
        """
        self._bytes += count
        self._gate.buffered_bytes += count
        if self._gate.buffered_bytes > self._gate.limits.max_buffered_bytes:
            raise self._gate.busy("the requests that wait fill the memory set aside for them")

    def release(self) -> None:
        """Count nothing of the body as in memory any more."""
        self._gate.buffered_bytes -= self._bytes
        self._bytes = 0


class Gate:
    """Admits requests, and runs their work in a bounded number of threads. Belongs to one event loop.

    Work is handed to a thread only when one is free. A request that waits can therefore be given up when its client
    leaves, and nothing of it stays in memory.

    Attributes:
        limits: what is admitted.
        admitted: number of requests in progress, those that wait included.
        buffered_bytes: size of the bodies that are in memory.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.admitted = 0
        self.buffered_bytes = 0
        self._streams = 0
        self._clients: Counter[str] = Counter()
        self._free = asyncio.Semaphore(limits.threads)
        self._executor = ThreadPoolExecutor(limits.threads, thread_name_prefix="service")
        self._mean_s = 0.1  # of the work of one request

    @contextmanager
    def admit(self, client: str) -> Iterator[Admission]:
        """Count a request as in progress while the block runs, and yield what counts its body.

        Args:
            client: whose request it is.

        Raises:
            HTTPException: 429, this client has too many requests in progress; 503, too many requests wait.
        """
        if self._clients[client] >= self.limits.max_per_client:
            raise HTTPException(
                status.HTTP_429_TOO_MANY_REQUESTS,
                f"Expected at most {self.limits.max_per_client} requests of one client at a time; this is one more. "
                "Wait for an answer before sending the next request.",
                {"Retry-After": "1"},
            )
        if self.admitted >= self.limits.threads + self.limits.max_waiting:
            raise self.busy(f"{self.admitted} requests are in progress, and no more may wait")
        self.admitted += 1
        self._clients[client] += 1
        admission = Admission(self)
        try:
            yield admission
        finally:
            admission.release()
            self.admitted -= 1
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    @contextmanager
    def admit_stream(self) -> Iterator[None]:
        """Count a stream as open while the block runs.

        Raises:
            HTTPException: 503, too many streams are open.
        """
        if self._streams >= self.limits.max_streams:
            raise self.busy(f"{self._streams} streams are open, and no more may be")
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    def busy(self, reason: str) -> HTTPException:
        """Return the error for a request that must come back later, which says when: about when others are done."""
        seconds = min(60, max(1, math.ceil(self.admitted * self._mean_s / self.limits.threads)))
        return HTTPException(
            status.HTTP_503_SERVICE_UNAVAILABLE,
            f"The service is busy: {reason}. Send the request again in {seconds} s.",
            {"Retry-After": str(seconds)},
        )

    async def run(self, call: Callable[[], T], request: Request | None = None) -> T:
        """Run a call in a thread, as soon as one is free, and return what it returns.

        Args:
            call: the work.
            request: whose work it is; it is given up if its client leaves while it waits.

        Raises:
            ClientDisconnect: the client left before a thread was free.
        """
        await self._wait_for_thread(request)
        started_s = time.perf_counter()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, call)
        finally:
            self._mean_s += _SMOOTHING * (time.perf_counter() - started_s - self._mean_s)
            self._free.release()

    async def _wait_for_thread(self, request: Request | None) -> None:
        if request is None or not self._free.locked():
            await self._free.acquire()
            return
        turn = asyncio.ensure_future(self._free.acquire())
        departure = asyncio.ensure_future(request.receive())  # the body was read: only the end can come
        try:
            await asyncio.wait({turn, departure}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            departure.cancel()
            if not turn.done():
                turn.cancel()
        if not turn.done() or turn.cancelled():
            raise ClientDisconnect

    def close(self) -> None:
        """Let go of the threads."""
        self._executor.shutdown(wait=False, cancel_futures=True)
