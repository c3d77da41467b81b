"""How a stream starts where there is no direct way: through a real coturn; and what is said where that fails."""

import json
import shutil
import socket
import subprocess
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tests.browser.live_page import PATIENCE_MS, LivePage

SECRET = "a secret that only the servers know"
# Takes no way but the relay. aiortc ignores this on the server's side, so the browser is told.
RELAY_ONLY = """
const Direct = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Direct {
  constructor(options) { super({ ...options, iceTransportPolicy: "relay" }); }
};
"""


def answers(port):
    """Return whether a STUN server answers a binding request."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.3)
        try:
            client.sendto(b"\0\1\0\0\x21\x12\xa4\x42" + 12 * b"x", ("127.0.0.1", port))
            return client.recv(100).startswith(b"\1\1")
        except OSError:
            time.sleep(0.1)
            return False


@pytest.fixture(scope="module")
def turn_port(tmp_path_factory):
    """Port of a coturn on loopback."""
    turnserver = shutil.which("turnserver")
    if not turnserver:
        pytest.skip("no coturn found; on Debian or Ubuntu install it with: apt-get install coturn")
    folder = tmp_path_factory.mktemp("coturn")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["-n", "--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=test", "--listening-ip=127.0.0.1"]
    options += [f"--listening-port={port}", "--relay-ip=127.0.0.1", "--allow-loopback-peers", "--no-tls", "--no-dtls"]
    options += ["--no-cli", "--log-file=stdout", f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'turndb'}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([turnserver, *options], stdout=log, stderr=subprocess.STDOUT)
    deadline_s = time.monotonic() + 20
    while not answers(port):
        assert process.poll() is None and time.monotonic() < deadline_s, (folder / "log").read_text()
    yield port
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def relay_page(browser, tmp_path, monkeypatch, turn_port):
    """Open the live page, with no way but the relay, of a server with this secret: relay_page(secret)."""
    pages = []

    def open_one(secret):
        settings = {
            "FER_ICE_SERVERS": json.dumps([{"urls": f"turn:127.0.0.1:{turn_port}"}]),
            "FER_TURN_SECRET": secret,
        }
        server = serving(tmp_path, settings=settings)
        live = LivePage(browser, server.__enter__().url, script=RELAY_ONLY)
        pages.append((live, server))
        return live

    yield open_one
    for live, server in pages:
        live.leave()
        server.__exit__(None, None, None)


def test_a_stream_runs_through_a_relay_with_credentials_made_for_it(relay_page):
    live = relay_page(SECRET)
    live.start()
    live.wait_until_video_advances()
    assert live.ways() == {"relay"}
    expect(live.steps.get_by_role("alert")).to_be_hidden()


def test_a_relay_that_refuses_is_named_as_the_step_that_failed_and_can_be_tried_again(relay_page):
    live = relay_page("another secret than the relay's")
    live.press_start()
    alert = live.steps.get_by_role("alert")
    again = alert.get_by_role("button", name="Try again")
    expect(again).to_be_visible(timeout=PATIENCE_MS)
    expect(alert.get_by_text("The TURN server refuses this browser")).to_be_visible()
    expect(alert.locator(".failed")).to_contain_text("Ways to the server listed")
    expect(alert.locator(".done")).to_have_count(3)
    again.click()
    expect(again).to_be_hidden(timeout=PATIENCE_MS)
    expect(again).to_be_visible(timeout=PATIENCE_MS)
