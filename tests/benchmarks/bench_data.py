"""How fast the whole table becomes a store, and a store reopens, as ratios against the usual way, in one run.

    python -m tests.benchmarks.bench_data PATH_TO_CSV [--rounds 3]

PATH_TO_CSV is fer2013.csv, best unpacked. The rival is the way of most notebooks: `pd.read_csv`, then
`np.array(pixels.split(), dtype=np.uint8)` for each row; it neither checks nor saves anything. Each
contestant runs in a process of its own and in turn, so that the machine's drift meets all alike and
peak memory is its own; the figures are medians over the rounds. CPU seconds are printed beside wall
seconds, since only they mean something on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REOPENINGS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=CONTESTANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(CONTESTANTS[options.only](options.table)))
        return
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    for _ in range(options.rounds):
        for name, rounds in results.items():
            command = [sys.executable, "-m", "tests.benchmarks.bench_data", str(options.table), "--only", name]
            rounds.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    report(results)


def report(results: dict[str, list[dict[str, float]]]) -> None:
    def median(name: str, figure: str) -> float:
        return statistics.median(result[figure] for result in results[name])

    print(f"{'':24}{'wall s':>10}{'CPU s':>10}{'peak MB':>10}")
    for name in results:
        print(f"{name:24}{median(name, 'wall_s'):10.2f}{median(name, 'cpu_s'):10.2f}{median(name, 'peak_mb'):10.0f}")
    print(f"reopening the store: {median('table to store', 'reopen_s') * 1000:.2f} ms")
    for figure in ("wall_s", "cpu_s"):
        store = median("usual way", figure) / median("table to store", figure)
        reopening = median("read table", figure) / median("table to store", "reopen_s")
        print(
            f"{figure.removesuffix('_s')}: table to store {store:.1f}x faster than the usual way, "
            f"reopening {reopening:.0f}x faster than our own reading of the table"
        )


def timed(work: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def usual_way(table: Path) -> dict[str, float]:
    import numpy as np
    import pandas as pd

    def work() -> None:
        frame = pd.read_csv(table)
        np.stack([np.array(pixels.split(), dtype=np.uint8).reshape(48, 48) for pixels in frame["pixels"]])

    return timed(work)


def read_table(table: Path) -> dict[str, float]:
    from fer_core.data.sources import read_source

    return timed(lambda: read_source(table))


def table_to_store(table: Path) -> dict[str, float]:
    from fer_core.data.sources import import_source
    from fer_core.data.store import open_store

    with tempfile.TemporaryDirectory() as folder:
        figures = timed(lambda: import_source(table, "bench", Path(folder)))
        seconds = [
            timed(lambda: open_store("bench", Path(folder)).images[:60].mean())["wall_s"] for _ in range(REOPENINGS)
        ]
        return figures | {"reopen_s": statistics.median(seconds)}


CONTESTANTS = {"usual way": usual_way, "read table": read_table, "table to store": table_to_store}


if __name__ == "__main__":
    main()
