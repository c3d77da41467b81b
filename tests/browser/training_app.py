"""The app on a machine of its own, whose server can be killed and started again, and its training page."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from fer_core.files import write_json
from fer_core.training.config import PRESETS
from fer_core.training.timing import throughput
from fer_core.training.timing.device import best_precision

ROOT = Path(__file__).parents[2]
# Generous, since a loaded machine takes minutes to load TensorFlow; nothing waits longer than it must.
PATIENCE_MS = 300_000


def keep_speed() -> None:
    """Keep how fast the quick recipe trains, so that the page starts no process that measures it."""
    file = throughput._file(dataclasses.replace(PRESETS["quick"], precision=best_precision()))
    write_json(file, {"epoch_s": 12.0, "images_per_s": 900.0, "device": "tensorflow on cpu"})


class App:
    """`streamlit run app.py` with data sets, runs and models in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("FER_", "STREAMLIT_"))}
        with (self.home / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "streamlit",
                    "run",
                    "app.py",
                    "--server.headless=true",
                    f"--server.port={self.port}",
                    "--server.fileWatcherType=none",
                ],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={**environment, "FER_HOME": str(self.home)},
            )
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5).close()
                return
            except OSError:
                assert self._process.poll() is None and time.monotonic() < deadline, self.log
                time.sleep(0.2)

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()

    @property
    def log(self) -> str:
        """All that the server has logged."""
        return (self.home / "server.log").read_text(encoding="utf-8", errors="replace")


class TrainingPage:
    """The training page in a browser."""

    def __init__(self, browser: Browser, app: App) -> None:
        self.page: Page = browser.new_page(viewport={"width": 1400, "height": 1100})
        self.page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        self._app = app
        self.open()

    def open(self) -> None:
        """Open the page, as one who comes back."""
        self.page.goto(f"{self._app.url}/train")
        expect(self.button("Start training")).to_be_visible()

    def button(self, name: str) -> Locator:
        """Return the page's button with exactly this name; Streamlit's own Stop is in the header."""
        own = self.page.locator(":not([data-testid=stBaseButton-header])")
        return self.page.get_by_role("button", name=name, exact=True).and_(own)

    def start(self, name: str, epochs: int) -> None:
        """Start a run with this name and number of epochs; everything else is as the page proposes."""
        field = self.page.get_by_label("Epochs", exact=True)
        field.fill(str(epochs))
        field.press("Enter")
        field = self.page.get_by_label("Name", exact=True)
        field.fill(name)
        field.press("Enter")
        command = self.page.get_by_test_id("stCode").filter(has_text=f"--run {name}")
        expect(command).to_have_count(1)  # the server has what was typed
        self.button("Start training").click()
        expect(self.headline).to_contain_text(name)

    @property
    def headline(self) -> Locator:
        """The line that says how far the run on show is."""
        return self.page.locator(".fer-run")

    def points(self, chart: str = "accuracy", line: int = 1) -> int:
        """Return how many points a line of a chart has now; line 0 is training, 1 validation."""
        figure = self.page.locator(f".st-key-curve_{chart} .js-plotly-plot")
        if not figure.count():
            return 0
        return figure.first.evaluate(f"plot => (plot.data?.[{line}]?.x ?? []).length")

    def wait_for_points(self, number: int) -> None:
        """Wait until the validation accuracy has `number` points."""
        self.wait_until(lambda: self.points() >= number)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds."""
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while not condition():
            assert time.monotonic() < deadline_s, (self.points(), self.headline.text_content(), self._app.log[-2000:])
            self.page.wait_for_timeout(200)

    def compare(self, *rows: int) -> None:
        """Mark rows of the table of runs, counted from 0, until they are compared.

        The table is drawn on a canvas, so a mark can only be seen by what it does; a table that was drawn anew in
        between, since a run went on, has lost it. Opened again the page has no marks.
        """
        heading = self.page.get_by_role("heading", name="Compared")
        for attempt in range(4):
            self._mark_rows(*rows)
            try:
                expect(heading).to_be_visible(timeout=PATIENCE_MS if attempt == 3 else PATIENCE_MS / 6)
            except AssertionError:
                if attempt == 3:
                    raise
                self.open()
            else:
                return

    def _mark_rows(self, *rows: int) -> None:
        table = self.page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        for row in rows:
            table.click(position={"x": 17, "y": 35 + 35 * row + 17})
            self.page.wait_for_timeout(1500)
