"""How long the server works for one step through the gallery with a whole data set loaded.

    python -m tests.benchmarks.bench_gallery SOURCE [--home FOLDER] [--rounds 15]

SOURCE is FER-2013 in any form, at best the folder with fer2013.csv and fer2013new.csv. It is read into
FOLDER once (a temporary folder unless one is given). Then the page runs as it does for a viewer, from
the change of a widget to the last message for the browser; a page of faces and a filter should each
take at most 0.3 s. Processor seconds say more than the clock on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from fer_core.data.sources import import_source
from fer_core.data.store import list_stores
from fer_core.emotions import LABELS

PAGE = Path(__file__).parents[2] / "pages" / "dataset.py"
NAME = "fer2013"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_HOME"] = str(options.home or folder)
        if NAME not in [info.name for info in list_stores()]:
            import_source(options.source, NAME)
        measure(options.rounds)


def measure(rounds: int) -> None:
    at, opened_s = opened("Browse")
    print(f"{'opening the page':24} {opened_s:8.2f} s")
    for size, count in {"Small": 200, "Medium": 120, "Large": 60}.items():
        change(at, size=size)
        report(f"next page, {count} faces", at, rounds, lambda i: {"page": i + 2})
    change(at, size="Medium", page=1)
    report("another label", at, rounds, lambda i: {"label": [LABELS[i % len(LABELS)]], "page": 1})
    report("suspicious only", at, rounds, lambda i: {"which": "All" if i % 2 else "Suspicious", "page": 1})
    orders = ("Darkest", "Flattest", "Most suspicious", "Row")
    report("another order", at, rounds, lambda i: {"order": orders[i % len(orders)], "page": 1})
    report("another shuffle", at, rounds, lambda i: {"order": "Shuffled", "shuffle": i, "page": 1})
    at, _ = opened("Problems")
    found = at.radio(key="problem").options
    report("another problem", at, rounds, lambda i: {"problem": found[(i + 1) % len(found)], "problem_page": 1})
    report("the overview again", opened("Overview")[0], rounds, lambda i: {})
    report("the map again", opened("Map")[0], rounds, lambda i: {})


def opened(view: str) -> tuple[AppTest, float]:
    """Open a view in a session of its own; return it and the seconds that took."""
    at = AppTest.from_file(PAGE, default_timeout=300)
    at.query_params["view"] = view
    at.query_params["data"] = NAME
    return at, timed(at.run)[0]


def report(name: str, at: AppTest, rounds: int, values: Callable[[int], dict]) -> None:
    """Change widgets `rounds` times and print the median and the longest time."""
    times = np.array([change(at, **values(i)) for i in range(rounds)])
    (wall_s, processor_s), (longest_s, most_s) = np.median(times, axis=0), times.max(axis=0)
    print(
        f"{name:24} {wall_s:8.3f} s by the clock (longest {longest_s:.3f}), {processor_s:.3f} s of the processor "
        f"(most {most_s:.3f})",
        flush=True,
    )


def change(at: AppTest, **values: object) -> tuple[float, float]:
    """Set widgets and run the page; return the seconds by the clock and of the processor."""
    for key, value in values.items():
        at.session_state[key] = value
    taken = timed(at.run)
    assert not at.exception, at.exception
    return taken


def timed(task: Callable[[], object]) -> tuple[float, float]:
    start = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - start[0], time.process_time() - start[1]


if __name__ == "__main__":
    main()
