"""What viewers cost the server: the real app, and headless Chromium tabs that show it a clip as their camera.

    python -m tests.benchmarks.bench_viewers [--viewers 1 4 8 16] [--seconds 30] [--record scores|picture]
        [--against CHECKOUT] [--rounds 1]
    python -m tests.benchmarks.bench_viewers --viewers 16 --minutes 30

Each number of viewers gets a server and a browser of its own. Measured is the server's process alone: its processor
time, its memory and the steps of its frames (to analyse and draw one, as the status line has it), from ten seconds
after the last viewer's first face on. The browser runs on the same machine and takes more than the server does: where
the two together want more cores than there are, rates fall earlier than they would for viewers elsewhere, and the cost
is to be read per analysed frame. `busy` is the share of all cores that was in use meanwhile, by whatever ran. Whether
memory grows is told by its slope with a standard error, which `--minutes` makes small enough: means over thirtieths of
the time are taken for independent. With `--against`, another checkout is measured in turn, so that the machine's drift
meets both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import linregress

ROOT = Path(__file__).parents[2]
WARM_UP_S = 10
SAMPLE_S = 1.0
PARTS = 30  # of the time, whose means tell whether memory grows
FPS = 15  # what the camera is asked for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--seconds", type=float, default=30.0, help="how long is measured (default: %(default)g)")
    parser.add_argument("--minutes", type=float, help="the same in minutes")
    parser.add_argument("--against", type=Path, help="another checkout to compare with")
    parser.add_argument("--rounds", type=int, default=1, help="medians over so many runs (default: %(default)s)")
    parser.add_argument("--size", type=int, nargs=2, default=[640, 480], help="of the camera's picture")
    parser.add_argument(
        "--record", choices=["nothing", "scores", "picture"], default="nothing", help="what each viewer's stream keeps"
    )
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args()
    if options.serve:
        serve(options.serve, rest)
        return
    seconds = options.seconds if options.minutes is None else 60 * options.minutes
    checkouts = {"this": ROOT} | ({"other": options.against.resolve()} if options.against else {})
    print(f"{os.cpu_count()} cores, {seconds:g} s each, {options.size[0]} × {options.size[1]}\n{HEAD}")
    for viewers in options.viewers:
        runs = [
            {name: measure(path, viewers, seconds, options.size, options.record) for name, path in checkouts.items()}
            for _ in range(options.rounds)
        ]
        for name in checkouts:
            print(row(name, viewers, {key: median(run[name][key] for run in runs) for key in runs[0][name]}))
        print_words(runs[-1])


# What is printed.

HEAD = (
    f"{'':6}{'viewers':>8}{'cores':>8}{'a viewer':>10}{f'at {FPS} fps':>10}{'camera':>8}{'analysed fps':>18}"
    f"{'step ms':>9}{'p95':>7}{'MB':>7}{'a viewer':>10}{'MB a min':>16}{'busy':>7}"
)
_words: dict[str, str] = {}
_threads: dict[str, dict[str, float]] = {}


def row(name: str, viewers: int, figures: dict[str, float]) -> str:
    """Return one line of the table."""
    fps = f"{figures['fps']:.1f} ({figures['slowest_fps']:.1f}–{figures['fastest_fps']:.1f})"
    slope = f"{figures['mb_a_minute']:+.2f} ± {figures['mb_a_minute_se']:.2f}"
    return (
        f"{name:6}{viewers:8}{figures['cores']:8.2f}{figures['cores'] / viewers:10.3f}{figures['cores_at_fps']:10.3f}"
        f"{figures['camera_fps']:8.1f}{fps:>18}{figures['ms']:9.1f}{figures['p95_ms']:7.1f}{figures['mb']:7.0f}"
        f"{figures['mb_a_viewer']:10.1f}{slope:>16}{100 * figures['busy']:6.0f}%"
    )


def print_words(run: dict[str, dict[str, Any]]) -> None:
    for name in run:
        print(f"      {name}: the first viewer's status line: {_words[name]}")
        threads = ", ".join(f"{thread} {cores:.3f}" for thread, cores in _threads[name].items() if cores >= 0.002)
        print(f"      {name}: cores by threads: {threads}")


def median(values: Iterator[float]) -> float:
    return float(np.median(list(values)))


# The viewers.


def measure(
    checkout: Path, viewers: int, seconds: float, size_wh: tuple[int, int], record: str = "nothing"
) -> dict[str, float]:
    """Let so many viewers watch for some seconds; return the server's figures."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        samples = stack.enter_context(serving(checkout, Path(folder)))
        before_mb = samples()[-1]["mb"]
        opened = tabs(stack, Path(folder), samples.url, viewers, size_wh, record)
        pages = [stack.enter_context(open_tab()) for open_tab in opened]
        wait(pages, WARM_UP_S)
        began_s = time.time()
        wait(pages, seconds)
        name = "this" if checkout == ROOT else "other"
        _words[name] = " · ".join(pages[0].status.locator("span").all_inner_texts())
        taken = [each for each in samples() if each["time_s"] >= began_s]
        _threads[name] = cores_by_threads(taken)
        return figures_of(taken, viewers, before_mb)


def figures_of(samples: list[dict[str, Any]], viewers: int, before_mb: float) -> dict[str, float]:
    """Return the figures of some seconds' samples."""
    first, last = samples[0], samples[-1]
    seconds = last["time_s"] - first["time_s"]
    frames = [frame for each in samples[1:] for frame in each["frames"]]  # (stream, ms, delivered, analysed)
    if not frames:
        raise SystemExit("No frame came to the server in this time. Is the machine too busy for so many tabs?")
    streams = {frame[0] for frame in frames}
    rates = [sum(stream == each and analysed for each, _, _, analysed in frames) / seconds for stream in streams]
    steps_ms = [ms for _, ms, _, analysed in frames if analysed]
    cores = (last["cpu_s"] - first["cpu_s"]) / seconds
    time_min = np.array([each["time_s"] for each in samples]) / 60
    mb = np.array([each["mb"] for each in samples])
    slope, slope_se = slope_of(time_min, mb)
    return {
        "cores": cores,
        "cores_at_fps": cores / sum(rates) * FPS,
        "camera_fps": sum(frame[2] for frame in frames) / seconds / viewers,
        "fps": float(np.median(rates)),
        "slowest_fps": min(rates),
        "fastest_fps": max(rates),
        "ms": float(np.median(steps_ms)),
        "p95_ms": float(np.percentile(steps_ms, 95)),
        "mb": float(mb[-1]),
        "mb_a_viewer": float(mb[-1] - before_mb) / viewers,
        "mb_a_minute": slope,
        "mb_a_minute_se": slope_se,
        "busy": (last["busy_s"] - first["busy_s"]) / (seconds * (os.cpu_count() or 1)),
    }


def slope_of(time_min: np.ndarray, mb: np.ndarray) -> tuple[float, float]:
    """Return by how much memory grows a minute, and the standard error of that."""
    parts = np.array_split(np.arange(len(mb)), min(PARTS, len(mb)))
    fit = linregress([time_min[part].mean() for part in parts], [mb[part].mean() for part in parts])
    return float(fit.slope), float(fit.stderr)


def cores_by_threads(samples: list[dict[str, Any]]) -> dict[str, float]:
    """Return the cores that threads of a kind took, the most first; those that came or went meanwhile are left out."""
    first, last = samples[0], samples[-1]
    cores: dict[str, float] = {}
    for thread, (name, cpu_s) in last["threads"].items():
        if thread in first["threads"]:
            taken = (cpu_s - first["threads"][thread][1]) / (last["time_s"] - first["time_s"])
            cores[name] = cores.get(name, 0.0) + taken
    return dict(sorted(cores.items(), key=lambda each: -each[1]))


def tabs(
    stack: ExitStack, folder: Path, url: str, viewers: int, size_wh: tuple[int, int], record: str
) -> Iterator[Callable[[], Any]]:
    """Give what opens each viewer's tab: it starts the camera and waits for the first face."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import _QUIET, _REACHABLE
    from tests.browser.live_page import LivePage

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("No Chromium found; on Debian or Ubuntu install it with: apt-get install chromium")
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={write_clip(folder / 'face.mjpeg', size_wh)}",
    ]
    playwright = stack.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=chromium, args=_QUIET + _REACHABLE + camera)
    stack.callback(browser.close)

    @contextmanager
    def open_tab() -> Iterator[LivePage]:
        live = LivePage(browser, url)
        live.start()
        if record != "nothing":
            live.record(picture=record == "picture")
        yield live
        live.close()

    for _ in range(viewers):
        yield open_tab


def write_clip(path: Path, size_wh: tuple[int, int]) -> Path:
    """Write the browser tests' clip, one face, at a size."""
    import cv2

    from tests.browser.clip import write_mjpeg

    write_mjpeg(path)
    if tuple(size_wh) == (640, 480):
        return path
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(cv2.imencode(".jpg", cv2.resize(read[1], size_wh))[1].tobytes())
    path.write_bytes(b"".join(frames))
    return path


def wait(pages: list[Any], seconds: float) -> None:
    pages[0].page.wait_for_timeout(1000 * seconds)


# The server.


class Samples:
    """What the server wrote about itself so far; called, it returns one dictionary a second."""

    def __init__(self, url: str, path: Path) -> None:
        self.url, self._path = url, path

    def __call__(self) -> list[dict[str, Any]]:
        lines = self._path.read_text().split("\n")[:-1]  # the last one may not be complete
        return [json.loads(line) for line in lines]


@contextmanager
def serving(checkout: Path, folder: Path) -> Iterator[Samples]:
    """Run a checkout's app with a thread that notes each second what it costs."""
    from tests.browser.conftest import Server, _free_port, _wait_until_healthy

    port, log, notes = _free_port(), folder / "server.log", folder / "samples.jsonl"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
    environment |= {"FER_HOME": str(folder / "home"), "PYTHONPATH": str(checkout), "FER_MAX_VIEWERS": "1000"}
    command = [sys.executable, __file__, "--serve", str(notes)]
    options = ["--server.headless=true", f"--server.port={port}", "--server.fileWatcherType=none"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command + options, cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    server = Server(process, port, log)
    try:
        _wait_until_healthy(server)
        while not notes.exists() or "\n" not in notes.read_text():
            time.sleep(0.1)
        yield Samples(server.url, notes)
    finally:
        process.terminate()
        process.wait(timeout=30)


def serve(notes: Path, options: list[str]) -> None:
    """Run the app of the current folder in this process; its costs go to a file."""
    from streamlit.web import cli

    from fer_core.live.session import LiveSession

    frames: list[tuple[int, float, int, bool]] = []
    process = LiveSession.process

    def timed(self: LiveSession, image: Any, delivered: int = 1, **times: Any) -> Any:
        start_s, before = time.perf_counter(), self._analysed
        drawn = process(self, image, delivered, **times)
        ms = 1000 * (time.perf_counter() - start_s)
        frames.append((id(self), ms, delivered, self._analysed - before == 1))
        return drawn

    LiveSession.process = timed
    threading.Thread(target=note_costs, args=(notes, frames), daemon=True).start()
    sys.argv = ["streamlit", "run", "app.py", *options]
    cli.main()


def note_costs(notes: Path, frames: list[tuple[int, float, int, bool]]) -> None:
    """Write each second what this process has used, and the frames that it has analysed since."""
    page_mb = os.sysconf("SC_PAGE_SIZE") / 2**20
    with notes.open("a") as file:
        while True:
            usage = resource.getrusage(resource.RUSAGE_SELF)
            taken, frames[:] = frames[:], []
            sample = {
                "time_s": time.time(),
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "mb": int(Path("/proc/self/statm").read_text().split()[1]) * page_mb,
                "busy_s": busy_s(),
                "frames": taken,
                "threads": thread_times(),
            }
            file.write(json.dumps(sample) + "\n")
            file.flush()
            time.sleep(SAMPLE_S)


def busy_s() -> float:
    """Return the seconds that this machine's cores have worked so far, whatever for."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / os.sysconf("SC_CLK_TCK")


def thread_times() -> dict[str, tuple[str, float]]:
    """Return each thread's kind and its processor seconds, by its number."""
    names = {thread.native_id: re.sub(r"[-_ ]*[\d.]+.*$", "", thread.name) for thread in threading.enumerate()}
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    times: dict[str, tuple[str, float]] = {}
    for stat in Path("/proc/self/task").glob("*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            fields = stat.read_text().rpartition(") ")[2].split()
            number = int(stat.parent.name)
            times[str(number)] = names.get(number, "native"), (int(fields[11]) + int(fields[12])) * tick_s
    return times


if __name__ == "__main__":
    main()
