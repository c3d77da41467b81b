"""One configuration trained with several seeds: how much of a figure is chance."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Sequence

from fer_core.background.cluster import Cluster
from fer_core.errors import RunError
from fer_core.models.card import ModelCard
from fer_core.terminal import Update
from fer_core.training.command import create_run, with_absolute_paths
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.process import stop
from fer_core.training.run.store import find_run
from fer_core.training.workers import POLL_S, outcome, state_of, workers_of


def prepare_seeds(config: RunConfig, name: str | None, seeds: Sequence[int]) -> list[RunFolder]:
    """Return the runs of a configuration with these seeds, NAME-seed-0 and so on; those that are missing are created.

    Args:
        config: of the runs.
        name: what their names begin with; the network's if None.
        seeds: different ones.

    Raises:
        RunError: a seed is named twice, or a name is taken by a run of another configuration.
        FerError: the configuration cannot be trained.
    """
    if len(set(seeds)) < len(seeds):
        raise RunError(f"Expected different seeds; got {' '.join(map(str, seeds))}.")
    return [_run_of(dataclasses.replace(config, seed=seed), name or config.architecture) for seed in seeds]


def _run_of(config: RunConfig, name: str) -> RunFolder:
    run = find_run(f"{name}-seed-{config.seed}")
    if not run.config_file.exists():
        return create_run(config, str(run.path))
    if run.config() != with_absolute_paths(config):
        raise RunError(
            f"There is already a run named {run.name!r}, with another configuration. Give these another name with "
            "--run, or delete it."
        )
    return run


def train_all(runs: Sequence[RunFolder], cluster: Cluster, report: Update) -> None:
    """Train the runs that are not finished; if this is interrupted they stop, and go on the next time.

    Args:
        runs: created already.
        cluster: what trains them.
        report: called with the number of epochs that are done, and of all.

    Raises:
        RunError: some runs did not finish; the others did.
    """
    total = sum(run.config().epochs for run in runs)
    waiting = [run for run in runs if state_of(run) != "finished"]
    with workers_of(cluster) as workers:
        try:
            futures = [workers.start(run.path) for run in waiting]
            while not all(future.done() for future in futures):
                report(sum(len(run.history()) for run in runs), total)
                time.sleep(POLL_S)
        except BaseException:
            for run in waiting:
                stop(run)
            raise
        _require_finished([(run, outcome(future)) for run, future in zip(waiting, futures, strict=True)])


def _require_finished(ended: Sequence[tuple[RunFolder, str]]) -> None:
    others = [f"{run.name} ({reason_of(run) or state})" for run, state in ended if state != "finished"]
    if others:
        raise RunError(
            f"Not finished: {'; '.join(others)} Start the same command again: it goes on with what is missing."
        )


def reason_of(run: RunFolder) -> str:
    """Return why a run ended before it was finished, as its status says; empty if it does not."""
    status = run.status()
    return status.message if status and status.message else ""


def seeds_text(runs: Sequence[RunFolder]) -> str:
    """Return the accuracy of finished runs on each split, with mean and standard deviation, as lines of text."""
    metrics = [ModelCard.load(run.card_file).metrics for run in runs]
    lines = []
    for split in metrics[0]:
        shares = [figures[split]["accuracy"] for figures in metrics]
        spread = f" ± {statistics.stdev(shares):.2%}" if len(shares) > 1 else ""
        listed = ", ".join(f"{share:.2%}" for share in shares)
        lines.append(f"{split}: {statistics.mean(shares):.2%}{spread} over {len(shares)} seeds ({listed})")
    return "\n".join(lines)
