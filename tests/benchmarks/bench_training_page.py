"""How late a finished epoch is on the training page, and what watching costs the server.

    python -m tests.benchmarks.bench_training_page [--seconds 60]

A real server and headless Chromium. The run on show is written by this process as training writes
one: eight batches a second, an epoch every five seconds. It trains nothing, so that the server's share
of a core can be told from training's. The delay is from the history's row to the point in the curve.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

_EPOCHS, _STEPS, _EPOCH_S = 60, 40, 5.0
_ROOT = Path(__file__).parents[2]


class Writer(threading.Thread):
    """Writes a run as a training process does, and notes when each epoch was written."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        from fer_core.training.config import PRESETS
        from fer_core.training.run.store import find_run

        self.run_folder = find_run("watched")
        self.run_folder.create(PRESETS["seed-cnn"])
        self.written_s: list[float] = []
        self.done = threading.Event()

    def run(self) -> None:
        from fer_core.background.locks import take, write_holder
        from fer_core.files import write_json

        run = self.run_folder
        lock = take(run.lock_file)
        write_holder(lock, os.getpid())
        cv2.imwrite(str(run.faces_file), np.random.default_rng(0).integers(0, 256, (48, 14 * 48), np.uint8))
        run.history_file.write_text(
            "epoch,accuracy,images_per_s,learning_rate,loss,seconds,size,val_accuracy,val_loss\n"
        )
        for epoch in range(_EPOCHS):
            run.write_status("running", epoch=epoch, steps_per_epoch=_STEPS)
            rows = "epoch,step,seconds,loss,accuracy\n"
            for step in range(1, _STEPS + 1):
                if self.done.wait(_EPOCH_S / _STEPS):
                    os.close(lock)
                    return
                rows += (
                    f"{epoch},{step},{step * _EPOCH_S / _STEPS:.2f},{1.8 / (1 + epoch):.4f},{0.3 + epoch / 200:.4f}\n"
                )
                run.progress_file.write_text(rows)
            write_json(
                run.validation_file,
                {
                    "epoch": epoch,
                    "confusion": np.full((7, 7), 73).tolist(),
                    "faces": {
                        "labels": [i // 2 for i in range(14)],
                        "probs": np.full((14, 7), 1 / 7).tolist(),
                        "predicted": [[(i + e) % 7 for i in range(14)] for e in range(epoch + 1)],
                    },
                },
            )
            with run.history_file.open("a") as file:
                file.write(
                    f"{epoch},{0.3 + epoch / 200},900,1e-4,{1.8 / (1 + epoch)},{_EPOCH_S},48,"
                    f"{0.3 + epoch / 250},{1.7 / (1 + epoch)}\n"
                )
            self.written_s.append(time.monotonic())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, socket.socket() as free:
        os.environ["FER_HOME"] = home
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        writer = Writer()
        writer.start()
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                str(_ROOT / "app.py"),
                "--server.port",
                str(port),
                "--server.headless",
                "true",
            ],
            stdout=subprocess.DEVNULL,
            cwd=_ROOT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                watch(browser.new_page(), f"http://127.0.0.1:{port}/train", writer, server.pid, options.seconds)
        finally:
            writer.done.set()
            server.terminate()
            server.wait()


def watch(page: object, address: str, writer: Writer, server: int, seconds: float) -> None:
    """Open the page and print the delays and the server's load."""
    page.goto(address)
    count = "() => (document.querySelector('.st-key-curve_accuracy .js-plotly-plot')?.data?.[1]?.x ?? []).length"
    while page.evaluate(count) < 1:
        page.wait_for_timeout(200)
    page.wait_for_timeout(5000)
    delays, seen, began_s, used_s = [], page.evaluate(count), time.monotonic(), cpu_s(server)
    while time.monotonic() - began_s < seconds:
        page.wait_for_timeout(25)
        if (now := page.evaluate(count)) > seen:
            delays.append(time.monotonic() - writer.written_s[now - 1])
            seen = now
    share = (cpu_s(server) - used_s) / (time.monotonic() - began_s)
    print(f"{len(delays)} epochs: on the page after {np.median(delays):.2f} s (median), {max(delays):.2f} s at most")
    print(f"the server takes {share:.1%} of one core while one page watches")


def cpu_s(process: int) -> float:
    """Return the processor time that a process has used, seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(address: str) -> None:
    """Wait until the server answers."""
    end_s = time.monotonic() + 120
    while time.monotonic() < end_s:
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{address} does not answer.")


if __name__ == "__main__":
    main()
