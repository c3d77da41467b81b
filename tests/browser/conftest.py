"""The real app in a process of its own, and headless Chromium with a clip for a camera."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.clip import write_mjpeg

ROOT = Path(__file__).parents[2]
# Generous, since a busy machine must not fail a test; what takes how long is printed.
PATIENCE_S = 90

_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--no-first-run",
]
# Without this, Chromium hides its address behind an mDNS name that a container cannot resolve.
_REACHABLE = ["--disable-features=WebRtcHideLocalIpsWithMdns"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Server:
    """A running `streamlit run app.py` and what it logs."""

    def __init__(self, process: subprocess.Popen, port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://localhost:{port}"
        self._log = log

    @property
    def home(self) -> Path:
        """The folder of all that it keeps."""
        return self._log.parent / "home"

    @property
    def log(self) -> str:
        """All that the server has logged so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def streams(self) -> int:
        """How many streams run, by the server's own log."""
        counts = re.findall(r"fer_core\.live\.session: .*?(\d+) (?:still )?running", self.log)
        return int(counts[-1]) if counts else 0

    def wait_for_streams(self, number: int) -> None:
        """Wait until `number` streams run."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self.streams != number:
            assert time.monotonic() < deadline_s, f"{self.streams} streams run, not {number}:\n{self.log}"
            time.sleep(0.05)

    def seconds_until_streams(self, number: int, action: Callable[[], None]) -> float:
        """Do something that leaves `number` streams running; return the seconds until that is so."""
        start_s = time.monotonic()
        action()
        self.wait_for_streams(number)
        return time.monotonic() - start_s


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium of the system."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium found; on Debian or Ubuntu install it with: apt-get install chromium")


@pytest.fixture(scope="session")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, started as a user starts it, on a free port."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@contextmanager
def serving(
    folder: Path, *options: str, port: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run the app with its log and with all that it keeps (`home`) in `folder`, on a free port unless one is named.

    Further options are Streamlit's; settings are environment variables.
    """
    port = port or _free_port()
    log = folder / "server.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FER_", "STREAMLIT_"))}
    environment |= {"FER_HOME": str(folder / "home"), **(settings or {})}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.headless=true",
        f"--server.port={port}",
        "--server.fileWatcherType=none",
        *options,
    ]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    running = Server(process, port, log)
    try:
        _wait_until_healthy(running)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server of one test module keeps and logs."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def app(chromium: str, folder: Path) -> Iterator[Server]:
    """The app, with a home of its own for each test module."""
    with serving(folder) as server:
        yield server


def _wait_until_healthy(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5).close()
            return
        except OSError:
            assert server.process.poll() is None and time.monotonic() < deadline, f"no server:\n{server.log}"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip that stands in for a camera."""
    return write_mjpeg(tmp_path_factory.mktemp("clip") / "face.mjpeg")


@pytest.fixture(scope="session")
def playwright():
    """Playwright, which drives the system's Chromium."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright, chromium: str, face_clip: Path):
    """Chromium with the clip as its camera, granted without asking."""
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={face_clip}",
    ]
    started = playwright.chromium.launch(executable_path=chromium, args=_QUIET + _REACHABLE + camera)
    yield started
    started.close()


@pytest.fixture
def browser_that_denies(playwright, chromium: str):
    """Chromium with a camera that no page is given."""
    started = playwright.chromium.launch(executable_path=chromium, args=[*_QUIET, "--use-fake-device-for-media-stream"])
    yield started
    started.close()


@pytest.fixture
def browser_without_camera(playwright, chromium: str):
    """Chromium on a computer that has no camera."""
    no_camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=0"]
    started = playwright.chromium.launch(executable_path=chromium, args=_QUIET + no_camera)
    yield started
    started.close()
