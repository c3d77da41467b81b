"""Runs the service: one process, or several workers that share a port and are replaced when they die."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from dataclasses import dataclass, field
from functools import partial

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from fer_core.errors import ServiceError, SettingsError
from fer_core.service.access import require_safe
from fer_core.service.app import create_app
from fer_core.service.limits import Limits
from fer_core.service.metrics import FOLDER_VARIABLE
from fer_core.service.worker import worker_app
from fer_core.settings import Settings

logger = logging.getLogger(__name__)

_SHUTDOWN_S = 30  # requests in progress are given so long to end
_SILENT_S = 30  # a worker that gives no sign of life for so long is replaced; starting may take some seconds


@dataclass(frozen=True)
class ServerOptions:
    """How the service is run.

    Attributes:
        host: name or address to listen on.
        port: TCP port.
        workers: number of processes; each has its own limits.
        model: name of a model or path of its folder, for requests that name none; the one in use if None.
        limits: of each worker.
        access_log: whether a line is logged for each request: who, what address, what status.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    model: str | None = None
    limits: Limits = field(default_factory=Limits)
    access_log: bool = False


def serve(options: ServerOptions) -> None:
    """Serve until the process is told to end; requests in progress are then answered first.

    Raises:
        SettingsError: others can reach the host and there are no keys, or a setting cannot be used.
        ModelError: there is no such model, or it cannot be read.
        ServiceError: the port cannot be used.
    """
    if options.workers < 1:
        raise SettingsError(f"workers must be 1 or more, got {options.workers}. Choose a larger value.")
    require_safe(options.host, Settings.from_env().api_keys)
    app = create_app(options.limits, options.model)  # what is wrong shows here, before workers start
    with tempfile.TemporaryDirectory(prefix="fer-metrics-") as folder:
        if options.workers > 1:
            os.environ[FOLDER_VARIABLE] = folder  # before any worker imports Prometheus's client
            app = partial(worker_app, options.limits, options.model)
        with listening(options.host, options.port) as listener:
            _run(_configuration(options, app), listener)


def _configuration(options: ServerOptions, app: ASGIApp | partial[ASGIApp]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=options.workers > 1,
        host=options.host,
        port=options.port,
        workers=options.workers,
        access_log=options.access_log,
        ws_max_size=options.limits.max_frame_bytes,
        ws_max_queue=4,  # frames of a stream that are read ahead
        ws_per_message_deflate=False,  # images are compressed already
        timeout_graceful_shutdown=_SHUTDOWN_S,
        timeout_worker_healthcheck=_SILENT_S,
        server_header=False,
    )


def _run(config: uvicorn.Config, listener: socket.socket) -> None:
    url = f"http://{f'[{config.host}]' if ':' in config.host else config.host}:{listener.getsockname()[1]}"
    logger.info("Serving on %s, described at %s/docs", url, url)
    if config.workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        uvicorn.Server(config).run(sockets=[listener])


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to a host and a port, any free one if it is 0.

    Raises:
        ServiceError: the port cannot be used.
    """
    # With the protocol named, or asyncio leaves Nagle's algorithm on, which holds answers back for 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"Port {port} on {host} cannot be used: {error.strerror}. Expected a free port; choose one with --port."
        ) from error
    listener.set_inheritable(True)
    return listener
