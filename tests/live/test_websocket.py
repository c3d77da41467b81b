"""The scores' WebSocket, with real clients: fast, slow, killed, foreign, many."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.protocol import State
from websockets.sync.client import connect

from fer_core.errors import SettingsError
from fer_core.live import websocket
from fer_core.live.sending import Sending
from fer_core.live.websocket import HELD, MAX_CLIENTS, ScoreServer
from fer_core.sessions.settings_log import RecordedSettings
from tests.sessions.recording import CARD, frame

PATIENCE_S = 30
FACES = 30  # in a frame, so that few of them fill the buffers of the system
SETTINGS = RecordedSettings(CARD)


class Stream:
    """A stream that sends to one feed."""

    def __init__(self, server):
        self.sending, self.sent = Sending(), []
        self.feed = server.open()
        self.sending.use(self.feed)
        self.url = server.url(self.feed)

    def send(self, index, faces=1):
        result = frame(index, faces)
        self.sending.add(result, self.sending.captured_s(time.monotonic(), None), SETTINGS, 0.0, None)
        self.sent.append(result)

    def wait_for_clients(self, number):
        deadline_s = time.monotonic() + PATIENCE_S
        while self.feed.clients != number:
            assert time.monotonic() < deadline_s, f"{self.feed.clients} clients, not {number}"
            time.sleep(0.01)


@pytest.fixture
def server():
    server = ScoreServer()
    yield server
    server.close()


@pytest.fixture
def stream(server):
    return Stream(server)


def received(client):
    return json.loads(client.recv(timeout=PATIENCE_S))


def closed(client):
    """Read until the other end closes; return the number of frames that came before, its code and its reason."""
    frames = 0
    with pytest.raises(ConnectionClosed) as error:
        while True:
            frames += received(client)["type"] == "frame"
    return frames, error.value.rcvd.code, error.value.rcvd.reason


def test_programs_get_the_model_then_each_frame_and_marker_then_the_reason_of_the_end(stream):
    with connect(stream.url) as one, connect(stream.url) as two:
        stream.wait_for_clients(2)
        for index in range(3):
            stream.send(index, faces=2)
        stream.sending.mark("film", "button", None)
        stream.sending.end_stream()
        for client in (one, two):
            head = received(client)
            assert (head["type"], head["model"]["sha256"], head["labels"]) == ("stream", "ab", list(CARD.labels))
            for result in stream.sent:
                message = received(client)
                assert message["type"] == "frame" and message["index"] == result.index
                assert [face["scores"]["happy"] for face in message["faces"]] == result.prediction.probs[:, 3].tolist()
            assert (received(client)["label"]) == "film"
            assert closed(client) == (0, 1000, "The stream has ended.")
    with connect(stream.url) as again:  # the next stream of the same page
        stream.wait_for_clients(1)
        stream.send(0)
        assert [received(again)["type"], received(again)["index"]] == ["stream", 0]


def test_who_comes_later_learns_the_model_and_when_faces_are_numbered_anew(stream):
    stream.send(5)
    stream.send(6)
    with connect(stream.url) as client:
        stream.wait_for_clients(1)
        assert received(client)["type"] == "stream"
        stream.send(7)
        stream.send(0)
        assert [received(client).get("index", "stream") for _ in range(3)] == [7, "stream", 0]


def test_a_slow_client_misses_frames_and_costs_neither_the_stream_nor_others(stream):
    with connect(stream.url, max_queue=1, close_timeout=0.1) as slow, connect(stream.url) as fast:
        stream.wait_for_clients(2)
        frames, longest_s = 200, 0.0
        for index in range(frames):
            began_s = time.perf_counter()
            stream.send(index, FACES)
            longest_s = max(longest_s, time.perf_counter() - began_s)
            while (message := received(fast)).get("index") != index:
                assert message["type"] == "stream"
        stream.sending.mark("end", "button", None)
        indices = []
        while (message := received(slow))["type"] != "marker":
            indices += [message["index"]] if message["type"] == "frame" else []
        assert indices == sorted(indices) and len(indices) < frames * 0.8
        assert set(range(frames - HELD + 1, frames)) <= set(indices)  # of what waits, the newest are kept
        print(f"\na slow client got {len(indices)} of {frames} frames; the longest step took {1000 * longest_s:.1f} ms")


def test_a_client_that_never_reads_is_cut_off_when_the_stream_ends(stream, monkeypatch):
    monkeypatch.setattr(websocket, "_CLOSES_WITHIN_S", 0.2)
    with connect(stream.url, max_queue=1, close_timeout=0.1):
        stream.wait_for_clients(1)
        (client,) = stream.feed._clients
        for index in range(2 * HELD):
            stream.send(index, FACES)
            time.sleep(0.001)
        stream.sending.end_stream()
        began_s = time.monotonic()
        while client._connection.state is not State.CLOSED:
            assert time.monotonic() - began_s < PATIENCE_S
            time.sleep(0.01)


def test_a_killed_client_is_forgotten_and_others_go_on(stream):
    code = f"from websockets.sync.client import connect\nwith connect({stream.url!r}) as c:\n  [print(_) for _ in c]"
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    with connect(stream.url) as other:
        stream.wait_for_clients(2)
        stream.send(0)
        os.kill(program.pid, signal.SIGKILL)
        program.wait()
        stream.wait_for_clients(1)
        stream.send(1)
        assert [received(other).get("index") for _ in range(3)] == [None, 0, 1]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://example.org", 403),
        ("https://localhost.example.org", 403),
        ("null", 403),
        ("http://localhost:8501", None),
        ("http://127.0.0.1:9000", None),
    ],
)
def test_pages_of_other_sites_are_refused_even_if_they_know_the_address(stream, origin, status):
    if status is None:
        with connect(stream.url, origin=origin):
            stream.wait_for_clients(1)
        return
    with pytest.raises(InvalidStatus) as refusal, connect(stream.url, origin=origin):
        pass
    assert refusal.value.response.status_code == status and stream.feed.clients == 0


def test_nobody_gets_in_without_the_token_and_each_stream_has_its_own(server, stream):
    other = Stream(server)
    assert other.url != stream.url and len(stream.feed.token) >= 32
    base = stream.url.rpartition("/")[0]
    for path in ("", "/", "/" + "x" * 32, f"/{stream.feed.token}x", f"/{stream.feed.token}/scores"):
        with pytest.raises(InvalidStatus) as refusal, connect(base + path):
            pass
        assert refusal.value.response.status_code == 404
    with connect(stream.url) as client:
        stream.wait_for_clients(1)
        other.send(3)
        stream.send(8)
        assert [received(client)["type"], received(client)["index"]] == ["stream", 8]


def test_switched_off_it_says_so_and_the_address_is_gone(stream):
    with connect(stream.url) as client:
        stream.wait_for_clients(1)
        stream.send(0)
        stream.sending.drop(stream.feed, "It was switched off.")
        assert closed(client) == (1, 1000, "It was switched off.")
    with pytest.raises(InvalidStatus), connect(stream.url):
        pass


def test_a_page_that_is_forgotten_takes_its_address_along(server):
    stream = Stream(server)
    url = stream.url
    with connect(url) as client:
        stream.wait_for_clients(1)
        del stream
        gc.collect()
        assert closed(client) == (0, 1000, "The page was closed.")
    with pytest.raises(InvalidStatus), connect(url):
        pass


def test_no_more_programs_listen_to_a_stream_than_may(stream):
    with ExitStack() as clients:
        for _ in range(MAX_CLIENTS):
            clients.enter_context(connect(stream.url))
        stream.wait_for_clients(MAX_CLIENTS)
        with pytest.raises(InvalidStatus) as refusal, connect(stream.url):
            pass
        assert refusal.value.response.status_code == 503
    stream.wait_for_clients(0)
    with connect(stream.url):
        stream.wait_for_clients(1)


def test_it_listens_on_this_computer_alone_and_says_when_it_cannot(server):
    addresses = {each.getsockname()[0] for each in server._server.sockets}
    assert addresses == {"127.0.0.1"}
    with pytest.raises(SettingsError, match=rf"127.0.0.1:{server.port}.*FER_SCORES_ADDRESS"):
        ScoreServer("127.0.0.1", server.port)


def test_a_server_that_is_stopped_says_goodbye_and_streams_go_on(server, stream):
    with connect(stream.url) as client:
        stream.wait_for_clients(1)
        server.close()
        assert closed(client) == (0, 1001, "The server was stopped.")
    stream.send(0)
    assert not stream.sending.problem
