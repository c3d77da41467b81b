"""The trials of a sweep as others read them, while it runs and afterwards, without Optuna."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_core.background.locks import is_held
from fer_core.files import read_json, write_json
from fer_core.training.run.store import runs_root

SWEEPS, LOCK = ".sweeps", ".lock"
RUNNING, FINISHED, PRUNED, FAILED, STOPPED = "running", "finished", "ended early", "failed", "stopped"
_FILE = "trials.json"
_ORDER = {FINISHED: 0, RUNNING: 1, STOPPED: 1, PRUNED: 2, FAILED: 3}
_SEED = "seed"


@dataclass(frozen=True, eq=False)
class Trial:
    """One run of a sweep.

    Attributes:
        run: name of the run.
        state: `RUNNING`, `FINISHED`, `PRUNED`, `FAILED`, or `STOPPED` with the command that ran it.
        value: what is maximised, 0 to 1; of a run that is not whole the best so far. None if nothing was measured.
        parameters: what was chosen for it.
        reason: why it failed, in words; empty if it did not.
    """

    run: str
    state: str
    value: float | None
    parameters: Mapping[str, Any]
    reason: str = ""


@dataclass(frozen=True, eq=False)
class SweepTrials:
    """A sweep and what came of it so far.

    Attributes:
        name: of the sweep.
        maximize: the measure by which trials are ranked.
        planned: how many trials there will be.
        trials: the best first: whole ones, then those at work, then pruned and failed ones.
        is_running: whether a command works on it.
    """

    name: str
    maximize: str
    planned: int
    trials: tuple[Trial, ...]
    is_running: bool


@dataclass(frozen=True, eq=False)
class Settings:
    """Trials that differ in their seed alone.

    Attributes:
        trials: at least one, the best first.
        values: of those that have one.
    """

    trials: tuple[Trial, ...]
    values: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        """Mean of the values; None if there is none."""
        return statistics.mean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Their standard deviation; None with fewer than two."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


def write_trials(folder: Path, maximize: str, planned: int, trials: Sequence[Trial]) -> None:
    """Write what came of a sweep so far, atomically; nothing where that is what the file holds.

    Args:
        folder: of the sweep.
        maximize: the measure by which trials are ranked.
        planned: how many trials there will be.
        trials: those that were begun.
    """
    content = {"maximize": maximize, "planned": planned, "trials": [asdict(trial) for trial in trials]}
    file = folder / _FILE
    if not file.exists() or json.loads(json.dumps(content)) != read_json(file):
        write_json(file, content)


def list_sweeps() -> list[SweepTrials]:
    """Return all sweeps of this machine, the latest first; those whose files are damaged are left out."""
    files = sorted((runs_root() / SWEEPS).glob(f"*/{_FILE}"), key=_modified_ns, reverse=True)
    return [sweep for file in files if (sweep := read_sweep(file.parent.name))]


def read_sweep(name: str) -> SweepTrials | None:
    """Return a sweep by its name; None if it is gone or its file is damaged."""
    folder = runs_root() / SWEEPS / name
    try:
        content = read_json(folder / _FILE)
        is_running = is_held(folder / LOCK)
        trials = [Trial(**fields) for fields in content["trials"]]
        if not is_running:
            trials = [Trial(**{**asdict(t), "state": STOPPED}) if t.state == RUNNING else t for t in trials]
        best_first = sorted(trials, key=lambda trial: (_ORDER[trial.state], -(trial.value or 0.0)))
        return SweepTrials(name, content["maximize"], content["planned"], tuple(best_first), is_running)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def by_settings(trials: Sequence[Trial]) -> list[Settings]:
    """Return trials together that differ in their seed alone; the best mean first, as `SweepTrials` orders states."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        parameters = {name: value for name, value in trial.parameters.items() if name != _SEED}
        # A trial without any other parameter, or one that never got any, is by itself.
        key = json.dumps(parameters, sort_keys=True) if _SEED in trial.parameters else trial.run
        groups.setdefault(key, []).append(trial)
    settings = [
        Settings(tuple(group), tuple(t.value for t in group if t.value is not None and t.state != FAILED))
        for group in groups.values()
    ]
    return sorted(settings, key=lambda each: (_ORDER[each.trials[0].state], -(each.mean or 0.0)))


def _modified_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:  # it was deleted meanwhile
        return 0
