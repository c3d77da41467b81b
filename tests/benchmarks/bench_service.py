"""Requests per second and latency of the service, against the same network behind Keras's `predict`, in one run.

    python -m tests.benchmarks.bench_service [--seconds 8] [--rounds 3] [--picture photo.jpg]

The load comes from `hey` (Debian's package `hey`) at 1, 8 and 64 clients over loopback, each request a form with one
cropped face of 48×48, or with `--picture` a whole picture. The rival is what most would write: FastAPI, the same
network and weights in Keras, `model.predict` for each request, and for a picture OpenCV's cascade 1.3 / 5 before it.
Rounds of all contestants are interleaved, so that the machine's drift meets all alike; the figures are medians over
the rounds. Needs the extras `service` and `train`.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI, UploadFile

from fer_core.models.bundle import BUNDLED_ROOT

CLIENTS = (1, 8, 64)
NETWORK = "compact"
BOUNDARY = "frontier"
START_S = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=8, help="of load in each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--picture", type=Path, help="a photo to analyse, instead of one cropped face")
    parser.add_argument("--rival", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rival:
        serve_rival(options.rival)
        return
    if not shutil.which("hey"):
        raise SystemExit("This needs hey, which is not installed. Install with: apt-get install hey")
    route = "/v1/analyze" if options.picture else "/v1/classify"
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        body = Path(folder) / "body"
        body.write_bytes(form(options.picture.read_bytes() if options.picture else a_face()))
        urls = {
            "service, 1 worker": stack.enter_context(started(service(1))) + route,
            "service, 2 workers": stack.enter_context(started(service(2))) + route,
            "Keras's predict": stack.enter_context(started(rival)) + route,
        }
        compare(urls, body, options.seconds, options.rounds)


def compare(urls: dict[str, str], body: Path, seconds: int, rounds: int) -> None:
    """Load all contestants in turn and print the medians of requests/s and p95."""
    figures = {(name, clients): [] for name in urls for clients in CLIENTS}
    for url in urls.values():
        load(url, body, 8, 2)  # warm
    for _ in range(rounds):
        for clients in CLIENTS:
            for name, url in urls.items():
                figures[name, clients].append(load(url, body, clients, seconds))
    print(f"\n{'':20}" + "".join(f"{f'{clients} client(s)':>28}" for clients in CLIENTS))
    print(f"{'':20}" + f"{'requests/s':>14}{'p95 ms':>8}{'failed':>6}" * len(CLIENTS))
    for name in urls:
        cells = []
        for clients in CLIENTS:
            rate, p95_ms, failed = (statistics.median(values) for values in zip(*figures[name, clients], strict=True))
            cells.append(f"{rate:14.1f}{p95_ms:8.0f}{failed:6.0f}")
        print(f"{name:20}" + "".join(cells))


def load(url: str, body: Path, clients: int, seconds: int) -> tuple[float, float, int]:
    """Send requests for some seconds and return successful ones per second, p95 in ms, and how many failed."""
    command = ["hey", "-z", f"{seconds}s", "-c", str(clients), "-t", "30", "-m", "POST", "-o", "csv"]
    command += ["-T", f"multipart/form-data; boundary={BOUNDARY}", "-D", str(body), url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    times = [float(row["response-time"]) for row in rows if row["status-code"] == "200"]
    took_s = max(float(row["offset"]) + float(row["response-time"]) for row in rows)
    return len(times) / took_s, 1000 * float(np.quantile(times, 0.95)), len(rows) - len(times)


@contextmanager
def started(command: Any) -> Iterator[str]:
    """Run a server on a free port while the block runs, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/healthz")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            urlopen(url, timeout=5).close()
            return
        except (URLError, ConnectionError):
            time.sleep(0.2)
    raise SystemExit(f"Nothing answers at {url} after {START_S} s.")


def service(workers: int) -> Any:
    """Return the command of the service by its port, with limits that let all clients in."""
    options = ["--workers", str(workers), "--model", NETWORK, "--max-per-client", "1000", "--max-waiting", "1000"]
    return lambda port: [sys.executable, "-m", "fer_core", "serve", "--port", str(port), *options]


def rival(port: int) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.bench_service", "--rival", str(port)]


def serve_rival(port: int) -> None:
    """Serve the same network the usual way: `model.predict` for each request."""
    from fer_core.emotions import LABELS
    from fer_core.models.weights import load_network

    model = load_network(BUNDLED_ROOT / NETWORK)
    cascade_file = cv2.data.haarcascades + "haarcascade_frontalface_default.xml"
    app = FastAPI()

    def decoded(upload: UploadFile) -> np.ndarray:
        return cv2.imdecode(np.frombuffer(upload.file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)

    def scored(faces: np.ndarray) -> list[dict[str, float]]:
        scores = model.predict(faces[..., None], verbose=0)
        return [dict(zip(LABELS, map(float, row), strict=True)) for row in scores]

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/classify")
    def classify(images: list[UploadFile]) -> list[dict[str, float]]:
        return scored(np.stack([cv2.resize(decoded(upload), (48, 48)) for upload in images]))

    @app.post("/v1/analyze")
    def analyze(images: list[UploadFile]) -> list[dict[str, float]]:
        cascade = cv2.CascadeClassifier(cascade_file)  # it must not be shared between threads
        gray = decoded(images[0])
        boxes = cascade.detectMultiScale(gray, scaleFactor=1.3, minNeighbors=5)
        faces = [cv2.resize(gray[y : y + h, x : x + w], (48, 48)) for x, y, w, h in boxes]
        return scored(np.stack(faces)) if faces else []

    uvicorn.run(app, port=port, access_log=False)


def a_face() -> bytes:
    return cv2.imencode(".png", np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8))[1].tobytes()


def form(image: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="image"\r\n'
    return f"{head}Content-Type: image/png\r\n\r\n".encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()


if __name__ == "__main__":
    main()
