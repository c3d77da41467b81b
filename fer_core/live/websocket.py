"""Scores of live streams over a WebSocket, for other programs on the server's computer.

One server, on a thread with an event loop of its own, serves all streams of the process. It has no part in the loop
that carries the video, so that clients who read slowly, or not at all, cost a stream nothing. Each stream has an
address of its own that cannot be guessed. Pages of other sites cannot read it even if they know it: browsers say where
a page comes from, and only pages of this computer are let in, as are programs, which say nothing.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import re
import secrets
import socket
import threading
import weakref
from collections import deque
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from fer_core.errors import SettingsError
from fer_core.live.outputs import ScoredFrame, SetMarker, frame_message, marker_message
from fer_core.recognition.provenance import PROGRAM

HELD = 64  # messages wait for a client; of more, the oldest are left out
MAX_CLIENTS = 32  # of one stream
_SEND_BUFFER = 2**16  # bytes that the system takes for a client; what waits there cannot be left out any more
_CLOSES_WITHIN_S = 2.0
_ALIVE_S = 20.0  # a client that does not answer for so long is cut off
_OWN_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_WILDCARDS = ("", "0.0.0.0", "::")

logger = logging.getLogger(__name__)


class _Client:
    """One program that listens. Used by the server's thread alone."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._waiting: deque[str] = deque(maxlen=HELD)
        self._wake = asyncio.Event()
        self._farewell: tuple[CloseCode, str] | None = None
        self._finished = asyncio.Event()

    def put(self, text: str) -> None:
        self._waiting.append(text)
        self._wake.set()

    def finish(self, code: CloseCode, reason: str) -> None:
        """Close the connection when what waits is sent, or after a while."""
        self._farewell = self._farewell or (code, reason)
        self._finished.set()
        self._wake.set()

    async def run(self) -> None:
        """Send what comes until either side ends it."""
        connection = self._connection
        if transport_socket := connection.transport.get_extra_info("socket"):
            transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        *_, overdue = tasks = [asyncio.create_task(each) for each in (self._send(), self._read(), self._overdue())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if overdue.done() and not overdue.cancelled():
            connection.transport.abort()  # a farewell would wait behind what it does not take
        elif self._farewell:
            await connection.close(*self._farewell)

    async def _send(self) -> None:
        while self._waiting or not self._farewell:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._connection.send(self._waiting.popleft())

    async def _overdue(self) -> None:
        """Return when a client that is to be closed does not take what waits for it."""
        await self._finished.wait()
        await asyncio.sleep(_CLOSES_WITHIN_S)

    async def _read(self) -> None:
        """Leave unread what a client says; return when it has gone."""
        async for _ in self._connection:
            pass


class Feed:
    """One stream's scores, for whoever knows its address. It is an `Output`; `ScoreServer.open` makes it.

    Attributes:
        token: what nobody can guess, the path of its address.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.token = secrets.token_urlsafe(24)
        self._loop = loop
        self._clients: set[_Client] = set()
        self._pending: deque[ScoredFrame | SetMarker] = deque(maxlen=HELD)
        self._scheduled = False
        self._lock = threading.Lock()
        self._head: Mapping[str, Any] | None = None
        self._last_index = -1
        # A page that is closed forgets its stream, and the stream its feed.
        forgotten = weakref.finalize(
            self, _finish, loop, self._clients, CloseCode.NORMAL_CLOSURE, "The page was closed."
        )
        forgotten.atexit = False

    @property
    def clients(self) -> int:
        """How many programs listen."""
        return len(self._clients)

    def add(self, frame: ScoredFrame) -> None:
        """Send a frame."""
        self._put(frame)

    def mark(self, marker: SetMarker) -> None:
        """Send a marker."""
        self._put(marker)

    def end_stream(self) -> None:
        """Close what is connected; programs may connect again and wait for the next stream."""
        self._call(self._finish_all, CloseCode.NORMAL_CLOSURE, "The stream has ended.")

    def close(self, reason: str) -> None:
        """Close what is connected; the address is no longer known."""
        self.token = ""
        self._call(self._finish_all, CloseCode.NORMAL_CLOSURE, reason)

    def join(self, client: _Client) -> None:
        """Let a client have what comes from now on; in the server's thread."""
        self._clients.add(client)
        if self._head:
            client.put(json.dumps(self._head))

    def leave(self, client: _Client) -> None:
        """Forget a client; in the server's thread."""
        self._clients.discard(client)

    def _put(self, each: ScoredFrame | SetMarker) -> None:
        with self._lock:
            self._pending.append(each)
            if self._scheduled:
                return
            self._scheduled = True
        self._call(self._send_pending)

    def _call(self, work: Any, *arguments: Any) -> None:
        _call_in(self._loop, work, *arguments)

    def _send_pending(self) -> None:
        with self._lock:
            pending = list(self._pending)
            self._pending.clear()
            self._scheduled = False
        for each in pending:
            if isinstance(each, ScoredFrame):
                self._note_head(each)
            if not self._clients:
                continue
            text = json.dumps(frame_message(each) if isinstance(each, ScoredFrame) else marker_message(each))
            for client in self._clients:
                client.put(text)

    def _note_head(self, frame: ScoredFrame) -> None:
        """Tell the model and the labels where they are new, or the faces are numbered anew."""
        head = {
            "type": "stream",
            "program": PROGRAM,
            "model": dict(frame.model),
            "labels": list(frame.result.prediction.labels),
            "note": "Expressions as a network sees them, not what people feel.",
        }
        anew, self._last_index = frame.result.index <= self._last_index, frame.result.index
        if anew or head != self._head:
            self._head = head
            for client in self._clients:
                client.put(json.dumps(head))

    def _finish_all(self, code: CloseCode, reason: str) -> None:
        self._send_pending()
        self._head, self._last_index = None, -1
        _finish_clients(self._clients, code, reason)


class ScoreServer:
    """The WebSocket server of this process.

    Args:
        host: name or address to listen on.
        port: to listen on; 0 takes a free one.

    Raises:
        SettingsError: it cannot listen there.

    Attributes:
        port: on which it listens.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._feeds: weakref.WeakValueDictionary[str, Feed] = weakref.WeakValueDictionary()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="score server", daemon=True)
        self._thread.start()
        try:
            self._server: Server = self._wait(self._start(host, port))
        except OSError as error:
            self._loop.call_soon_threadsafe(self._loop.stop)
            raise SettingsError(
                f"Scores cannot be sent from {host}:{port}: {error.strerror or error}. Name another address or port in "
                "FER_SCORES_ADDRESS, or unset it for a free port of this computer."
            ) from error
        self.port: int = self._server.sockets[0].getsockname()[1]
        atexit.register(self.close)
        logger.info("Scores for other programs are served on %s:%d.", host, self.port)

    def open(self) -> Feed:
        """Return a feed with an address of its own, known as long as somebody holds the feed and it is not closed."""
        feed = Feed(self._loop)
        self._feeds[feed.token] = feed
        return feed

    def url(self, feed: Feed, own_name: str = "localhost") -> str:
        """Return the address of a feed.

        Args:
            feed: made by this server.
            own_name: how other computers call this one; used where it listens on all its addresses.
        """
        host = own_name if self._host in _WILDCARDS else self._host
        return f"ws://{f'[{host}]' if ':' in host else host}:{self.port}/{feed.token}"

    def close(self) -> None:
        """Tell all clients that the server goes away, and listen no more."""
        atexit.unregister(self.close)
        if self._loop.is_running():
            self._wait(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSES_WITHIN_S)

    async def _start(self, host: str, port: int) -> Server:
        return await serve(
            self._listen,
            host or None,
            port,
            origins=[None, _OWN_PAGES],
            process_request=self._refuse,
            compression=None,
            server_header=None,
            ping_interval=_ALIVE_S,
            ping_timeout=_ALIVE_S,
            close_timeout=_CLOSES_WITHIN_S,
            max_size=2**10,
            logger=logging.getLogger(f"{__name__}.connections"),
        )

    async def _stop(self) -> None:
        self._server.close(code=CloseCode.GOING_AWAY, reason="The server was stopped.")
        await self._server.wait_closed()

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(3 * _CLOSES_WITHIN_S)

    def _feed(self, path: str) -> Feed | None:
        feed = self._feeds.get(path.partition("?")[0].removeprefix("/"))
        return feed if feed and feed.token else None

    def _refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        feed = self._feed(request.path)
        if feed is None:
            return connection.respond(
                HTTPStatus.NOT_FOUND, "No stream has this address. Copy it again from the page.\n"
            )
        if feed.clients >= MAX_CLIENTS:
            text = f"{MAX_CLIENTS} programs listen to this stream already. Close one of them.\n"
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, text)
        return None

    async def _listen(self, connection: ServerConnection) -> None:
        path = connection.request.path if connection.request else ""
        client = _Client(connection)
        feed = self._feed(path)
        if feed is None:  # closed a moment ago
            return
        feed.join(client)
        del feed  # a program that listens keeps no stream alive
        try:
            await client.run()
        finally:
            if feed := self._feed(path):
                feed.leave(client)


def _finish_clients(clients: set[_Client], code: CloseCode, reason: str) -> None:
    for client in clients:
        client.finish(code, reason)
    clients.clear()


def _finish(loop: asyncio.AbstractEventLoop, clients: set[_Client], code: CloseCode, reason: str) -> None:
    _call_in(loop, _finish_clients, clients, code, reason)


def _call_in(loop: asyncio.AbstractEventLoop, work: Any, *arguments: Any) -> None:
    try:
        loop.call_soon_threadsafe(work, *arguments)
    except RuntimeError:  # the server was closed
        logger.debug("The score server is closed.")


_servers: dict[tuple[str, int], ScoreServer] = {}
_servers_lock = threading.Lock()


def shared_server(host: str, port: int) -> ScoreServer:
    """Return this process' server at an address, which is started when it is first asked for.

    Raises:
        SettingsError: it cannot listen there.
    """
    with _servers_lock:
        if (host, port) not in _servers:
            _servers[host, port] = ScoreServer(host, port)
        return _servers[host, port]
