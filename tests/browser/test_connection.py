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
  constructor({ iceServers }) { super({ iceServers: iceServers.map(altered), iceTransportPolicy: "relay" }); }
};
"""
AS_GIVEN = "const altered = (server) => server;"
SPOILED = "const altered = (server) => ({ ...server, credential: 'wrong' });"


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
    try:
        deadline_s = time.monotonic() + 20
        while not answers(port):
            assert process.poll() is None and time.monotonic() < deadline_s, (folder / "log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def relayed(chromium, folder, turn_port):
    """The app, with the relay as its only TURN server."""
    servers = json.dumps([{"urls": f"turn:127.0.0.1:{turn_port}"}])
    with serving(folder, settings={"FER_ICE_SERVERS": servers, "FER_TURN_SECRET": SECRET}) as server:
        yield server


def test_a_stream_runs_through_a_relay_with_credentials_made_for_it(browser, relayed):
    live = LivePage(browser, relayed.url, script=AS_GIVEN + RELAY_ONLY)
    live.start()
    live.wait_until_video_advances()
    assert live.ways() == {"relay"}
    expect(live.steps.get_by_role("alert")).to_be_hidden()
    live.leave()


def test_a_relay_that_refuses_is_named_as_the_step_that_failed_and_can_be_tried_again(browser, relayed):
    live = LivePage(browser, relayed.url, script=SPOILED + RELAY_ONLY)
    live.press_start()
    alert = live.steps.get_by_role("alert")
    again = alert.get_by_role("button", name="Try again")
    expect(again).to_be_visible(timeout=PATIENCE_MS)
    expect(alert.get_by_text("The TURN server refuses this browser")).to_be_visible()
    expect(alert.locator(".failed")).to_contain_text("Ways to the server listed")
    expect(alert.locator(".done")).to_have_count(3)
    again.click()
    expect(again).to_be_hidden(timeout=PATIENCE_MS)
    live.leave()
