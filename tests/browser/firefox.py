"""Firefox without a screen and with its fake camera, driven by the WebDriver BiDi that is built into it."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 90

# A coloured picture that changes for a camera, given without asking; nothing is looked up elsewhere.
_PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "remote.prefs.recommended": True,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class Firefox:
    """One tab of a running Firefox."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection, self._numbers = connection, itertools.count(1)
        self._command("session.new", capabilities={})
        self._tab = self._command("browsingContext.getTree")["contexts"][0]["context"]

    def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        self._command("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def run(self, function: str) -> Any:
        """Return what a JavaScript function without arguments returns in the page, as plain JSON values."""
        answer = self._command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({function})()) ?? null))()",
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    def wait_for(self, function: str) -> Any:
        """Run a function until it returns something, and return that."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not (value := self.run(function)):
            assert time.monotonic() < deadline_s, (
                f"not in time: {function}\n{self.run('() => document.body.innerText')}"
            )
            time.sleep(0.2)
        return value

    def _command(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:  # events come between
            answer = json.loads(self._connection.recv(timeout=PATIENCE_S))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]


@contextmanager
def firefox(program: str, profile: Path) -> Iterator[Firefox]:
    """Run Firefox with a new profile in a folder; yield its tab."""
    profile.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(f"ws://{_address(profile, process)}/session", max_size=None) as connection:
            yield Firefox(connection)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _address(profile: Path, process: subprocess.Popen) -> str:
    """Return host and port that Firefox is driven at, which it writes down when it is ready."""
    file, deadline_s = profile / "WebDriverBiDiServer.json", time.monotonic() + PATIENCE_S
    while True:
        try:
            server = json.loads(file.read_text())
            return f"{server['ws_host']}:{server['ws_port']}"
        except (OSError, ValueError, KeyError):  # not there yet, or not written to its end
            assert process.poll() is None and time.monotonic() < deadline_s, "Firefox did not start"
            time.sleep(0.1)
