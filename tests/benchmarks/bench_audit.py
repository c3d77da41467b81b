"""How long it takes to look for faults in a whole data set, and how much memory.

    python -m tests.benchmarks.bench_audit TABLE [--rounds 3] [--rival-rows 8000]

TABLE is fer2013.csv, plain or compressed, with all its 35,887 rows; fer2013new.csv beside it adds
the votes. Exact duplicates should take at most 1 s and near duplicates at most 60 s. The rival for
near duplicates multiplies all pixels of all pairs, a block at a time; both run on the same first rows.
Processor seconds are those of all cores together; they say more than the clock on a busy machine.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_core.audit.findings import examine
from fer_core.audit.image_stats import compute_image_stats
from fer_core.audit.near_duplicates import _BLOCK, THRESHOLD, _units, near_duplicates
from fer_core.audit.problems import problems
from fer_core.audit.projection import nearest, project_features
from fer_core.data.csv_reader import read_csv
from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.votes import read_votes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rival-rows", type=int, default=8000)
    options = parser.parse_args()
    faces = read_csv(options.table)
    images, some = faces.images, faces.images[: options.rival_rows]
    votes_path = options.table.with_name("fer2013new.csv")
    votes = read_votes(votes_path).counts if votes_path.is_file() else None
    features = np.random.default_rng(0).normal(size=(len(images), 256)).astype(np.float32)

    print(f"{len(images):,} images; seconds by the clock and of the processor, medians of {options.rounds}")
    report("exact duplicates", options.rounds, lambda: exact_duplicates(images))
    report("near duplicates", options.rounds, lambda: near_duplicates(images))
    print(
        f"{'':24} {peak_mb(lambda: near_duplicates(images)):8.0f} MB of memory at most; the products of all pairs "
        f"would be {len(images) ** 2 * 4 / 1e6:,.0f} MB"
    )
    report("light", options.rounds, lambda: compute_image_stats(images))
    report("map of 256 features", options.rounds, lambda: project_features(features))
    report("nearest to one face", options.rounds, lambda: nearest(features, 0, 12))
    findings = examine(images, faces.labels, faces.split, votes)
    report("problems from findings", 1, lambda: (problems(findings), findings.issue_score.order))

    print(f"the first {len(some):,} images")
    ours = report("near duplicates", options.rounds, lambda: near_duplicates(some))
    rival = report("all pixels of all pairs", options.rounds, lambda: all_pixels(some))
    print(f"{'ratio':24} {rival / ours:19.1f} x")


def report(name: str, rounds: int, task: Callable[[], object]) -> float:
    """Run `task`, print the medians of its times and return the processor seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter(), time.process_time()
        task()
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall_s, processor_s = np.median(times, axis=0)
    print(f"{name:24} {wall_s:8.2f} s {processor_s:8.2f} s", flush=True)
    return float(processor_s)


def all_pixels(images: np.ndarray) -> int:
    """Count near duplicates in the plain way."""
    units = _units(images)
    return sum(
        int(np.count_nonzero(np.triu(units[start : start + _BLOCK] @ units[start:].T, 1) > THRESHOLD))
        for start in range(0, len(units), _BLOCK)
    )


def peak_mb(task: Callable[[], object]) -> float:
    """Run `task` and return the most memory it holds at once, in MB."""
    tracemalloc.start()
    task()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    main()
