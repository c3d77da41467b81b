"""A real server on loopback for tests, and raw requests to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any

import uvicorn

from fer_core.service.app import create_app
from fer_core.service.limits import Limits
from fer_core.service.server import listening
from fer_core.settings import Settings


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """A server that runs."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; an iterable body is sent in chunks, without its length."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, path: str, body: Any, content_type: str = "image/png", **headers: str) -> Answer:
        return self.request("POST", path, body, Content_Type=content_type, **headers)

    def post_json(self, path: str, value: Any) -> Answer:
        return self.post(path, json.dumps(value), "application/json")

    @contextmanager
    def unfinished(self, count: int = 1) -> Iterator[list[socket.socket]]:
        """Hold requests whose bodies never end."""
        head = "POST /v1/analyze HTTP/1.1", "Host: localhost", "Content-Type: image/png", "Content-Length: 1000"
        sockets = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(count)]
        try:
            for number, connection in enumerate(sockets, 1):
                connection.sendall("\r\n".join([*head, "", "12"]).encode())
                self.wait_for(f"fer_requests_in_progress {number}.0")
            yield sockets
        finally:
            for connection in sockets:
                connection.close()

    def wait_for(self, line: str) -> None:
        """Wait until the metrics say so."""
        for _ in range(200):
            if line in self.request("GET", "/metrics").body.decode():
                return
            threading.Event().wait(0.02)
        raise AssertionError(f"{line!r} never came")


@contextmanager
def running(limits: Limits | None = None, settings: Settings = Settings(), model: str = "compact") -> Iterator[Running]:
    """Run a server in a thread while the block runs."""
    with listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(create_app(limits, model, settings), log_config=None, ws_max_size=100_000)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started and thread.is_alive():
                threading.Event().wait(0.01)
            yield Running(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(20)


def form(*files: tuple[str, str, bytes], boundary: str = "frontier", end: str = "--") -> bytes:
    """Return files, each its field, name and content, as the body of a form."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for field, name, content in files
    ]
    return b"".join(parts) + f"--{boundary}{end}\r\n".encode()


FORM = "multipart/form-data; boundary=frontier"
