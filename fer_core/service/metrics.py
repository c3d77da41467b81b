"""What Prometheus reads: requests, their times, images, faces and how full the service is, over all workers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The library keeps the values of several processes in files of this folder.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics of one worker.

    Attributes:
        requests: answered requests, by route, method and status.
        seconds: how long they took, by route.
        images: images that were analysed or classified.
        faces: faces that were scored in them.
        frames: analysed frames of streams.
        in_progress: requests that run or wait.
        streams: open streams.
    """

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter("fer_requests", "Answered requests.", ("route", "method", "status"), registry=registry)
        self.seconds = Histogram(
            "fer_request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, registry=registry
        )
        self.images = Counter("fer_images", "Images analysed or classified.", registry=registry)
        self.faces = Counter("fer_faces", "Faces scored in images.", registry=registry)
        self.frames = Counter("fer_stream_frames", "Frames of streams analysed.", registry=registry)
        self.in_progress = self._gauge("fer_requests_in_progress", "Requests that run or wait.")
        self.streams = self._gauge("fer_streams", "Open streams.")

    def text(self) -> bytes:
        """Return all metrics, of all workers, in Prometheus's text format."""
        if not (folder := os.environ.get(FOLDER_VARIABLE)):
            return generate_latest(self._registry)
        _forget_dead_workers(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return generate_latest(registry)

    def _gauge(self, name: str, description: str) -> Gauge:
        return Gauge(name, description, registry=self._registry, multiprocess_mode="livesum")


def _forget_dead_workers(folder: Path) -> None:
    """Drop what killed workers had in progress; what they had counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        if (match := re.search(r"_(\d+)\.db$", file.name)) and not _is_alive(int(match[1])):
            mark_process_dead(match[1])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class MeasuredApp:
    """An application whose HTTP requests are counted and timed.

    Args:
        app: the application.
        metrics: what counts.
        clock: gives seconds.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._app, self._metrics, self._clock = app, metrics, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started_s = 500, self._clock()

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        finally:
            # By its pattern: paths are the clients' and would be without number.
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if route != "other" else "other"
            self._metrics.requests.labels(route, method, str(status)).inc()
            self._metrics.seconds.labels(route).observe(self._clock() - started_s)
