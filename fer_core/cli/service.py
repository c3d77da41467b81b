"""The command that serves scores over HTTP to any program."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from fer_core.dependencies import require_service


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; one that others reach needs FER_API_KEYS.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65_535, help="TCP port.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes. The limits below are each one's.")] = 1,
    model: Annotated[
        str | None,
        typer.Option(help="Name or folder of the model for requests that name none. (default: the one in use)"),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Requests worked on at once. (default: the processors, divided among the workers)"),
    ] = None,
    max_waiting: Annotated[int, typer.Option(min=0, help="Further requests that may wait; others get 503.")] = 128,
    max_per_client: Annotated[int, typer.Option(min=1, help="Requests of one client at a time; others get 429.")] = 64,
    max_streams: Annotated[int, typer.Option(min=1, help="Open streams.")] = 16,
    max_images: Annotated[int, typer.Option(min=1, help="Images in a request.")] = 32,
    max_body_mb: Annotated[float, typer.Option(min=0.001, help="Size of a request in megabytes.")] = 32.0,
    max_megapixels: Annotated[float, typer.Option(min=0.001, max=60, help="Size of an image in megapixels.")] = 60.0,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Log a line for each request, never an image.")
    ] = False,
) -> None:
    """Serve scores over HTTP to other programs, with a page that describes the interface at /docs."""
    require_service()
    from fer_core.service.limits import Limits
    from fer_core.service.server import ServerOptions, serve

    limits = Limits(
        max_body_bytes=round(max_body_mb * 1e6),
        max_pixels=round(max_megapixels * 1e6),
        max_images=max_images,
        threads=threads or max(1, (os.cpu_count() or 1) // workers),
        max_waiting=max_waiting,
        max_per_client=max_per_client,
        max_streams=max_streams,
    )
    serve(ServerOptions(host, port, workers, model, limits, access_log))
