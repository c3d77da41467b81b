"""A sweep: runs whose settings Optuna chooses by what came of the runs before.

Each trial is a run like any other, NAME-trial-0 and so on. A journal file holds what was tried, so that a sweep goes
on wherever it was stopped: by Ctrl-C, by a power cut, or by a worker that died.
"""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.background.cluster import Cluster
from fer_core.background.locks import take
from fer_core.dependencies import INSTALL_SWEEP, require_package
from fer_core.errors import ClusterError, FerError, RunError
from fer_core.files import read_json, write_json
from fer_core.terminal import Update
from fer_core.training.command import create_run, with_absolute_paths
from fer_core.training.config import RunConfig, from_flat
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.process import stop
from fer_core.training.run.store import find_run, runs_root
from fer_core.training.seeds import reason_of
from fer_core.training.sweep.plan import Range, SweepPlan
from fer_core.training.sweep.trials import FAILED, FINISHED, LOCK, PRUNED, RUNNING, SWEEPS, Trial, write_trials
from fer_core.training.workers import POLL_S, Workers, outcome, workers_of

if TYPE_CHECKING:
    import optuna

_RUN, _REASON = "run", "reason"
_STATES = {"COMPLETE": FINISHED, "PRUNED": PRUNED, "FAIL": FAILED}
# So many trials are whole before others are measured against them, and each has this share of its epochs.
_WHOLE_TRIALS = 4
_UNTOUCHED = 0.25


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep with its place.

    Attributes:
        name: what the names of its runs begin with.
        plan: what is tried.
        base: what all runs have in common.
    """

    name: str
    plan: SweepPlan
    base: RunConfig

    @property
    def folder(self) -> Path:
        """Where its journal lies."""
        return runs_root() / SWEEPS / find_run(self.name).name


@dataclass(eq=False)
class _Running:
    trial: optuna.Trial
    run: RunFolder
    future: Any
    reported: int = 0


def run_sweep(sweep: Sweep, cluster: Cluster, report: Update) -> list[optuna.trial.FrozenTrial]:
    """Try what a sweep plans, and return its trials, the best first.

    If this is interrupted the runs stop; started again it goes on with them, and with those that are missing.

    Args:
        sweep: what is tried.
        cluster: what trains the runs.
        report: called with the number of trials that are done, and of all.

    Raises:
        DependencyError: Optuna is not installed.
        RunError: the sweep was begun with other settings, another command works on it, or it would choose by
            PrivateTest.
        ClusterError: the workers cannot be reached.
    """
    require_package("optuna", "A sweep", INSTALL_SWEEP)
    if sweep.base.sees_private_test:
        raise RunError(
            "A sweep would choose by PrivateTest, which is looked at once, at the end. Validate on PublicTest, or on a "
            "Validation split held out of Training: --validation-splits PublicTest."
        )
    with _open(sweep) as study, workers_of(cluster) as workers:
        _Search(sweep, study, workers).go_on(report)
        return ranked(study.get_trials(deepcopy=False))


def ranked(trials: list[optuna.trial.FrozenTrial]) -> list[optuna.trial.FrozenTrial]:
    """Return trials, the best first: whole ones, then pruned ones, then those that failed."""
    order = {"COMPLETE": 0, "PRUNED": 1}
    return sorted(trials, key=lambda trial: (order.get(trial.state.name, 2), -(trial.value or 0.0), trial.number))


@contextmanager
def _open(sweep: Sweep) -> Generator[optuna.Study, None, None]:
    """Open the journal of a sweep, which no other command works on meanwhile."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sweep.folder.mkdir(parents=True, exist_ok=True)
    lock = take(sweep.folder / LOCK)
    if lock is None:
        raise RunError(f"Another command works on the sweep {sweep.name}. Wait for its end, or stop it.")
    try:
        _check_same(sweep)
        storage = JournalStorage(JournalFileBackend(str(sweep.folder / "journal.log")))
        study = optuna.create_study(
            storage=storage, study_name=sweep.name, direction="maximize", load_if_exists=True, pruner=_pruner(sweep)
        )
        # Another seed each time: the same one would propose again what was tried first.
        study.sampler = optuna.samplers.TPESampler(seed=sweep.plan.seed + len(study.trials), constant_liar=True)
        yield study
    finally:
        os.close(lock)


def _pruner(sweep: Sweep) -> optuna.pruners.BasePruner:
    import optuna

    if not sweep.plan.prune:
        return optuna.pruners.NopPruner()
    untouched = max(1, round(_UNTOUCHED * sweep.base.epochs))
    return optuna.pruners.MedianPruner(n_startup_trials=_WHOLE_TRIALS, n_warmup_steps=untouched)


def _check_same(sweep: Sweep) -> None:
    """Write down what a sweep is, or compare it with what it was begun with; only the number of trials may change."""
    plan = {name: value for name, value in dataclasses.asdict(sweep.plan).items() if name != "trials"}
    content = {"plan": plan, "base": with_absolute_paths(sweep.base).to_dict()}
    file = sweep.folder / "sweep.json"
    if not file.exists():
        write_json(file, content)
        return
    write_json(sweep.folder / ".now.json", content)  # as JSON gives it back
    before, now = read_json(file), read_json(sweep.folder / ".now.json")
    if before != now:
        raise RunError(
            f"The sweep {sweep.name} was begun with other settings. Give this one another name with --run, or delete "
            f"{sweep.folder} and start anew."
        )


class _Search:
    """Keeps the workers of a sweep busy, and tells its study what comes of each run."""

    def __init__(self, sweep: Sweep, study: optuna.Study, workers: Workers) -> None:
        self._sweep, self._study, self._workers = sweep, study, workers
        self._running: list[_Running] = []
        self._left_over = self._unfinished()

    def go_on(self, report: Update) -> None:
        try:
            while self._fill() or self._running:
                report(self._ended(), self._sweep.plan.trials)
                self._note()
                time.sleep(POLL_S)
                for running in list(self._running):
                    self._look_at(running)
        except BaseException:
            for running in self._running:
                stop(running.run)
            raise
        finally:
            self._note()

    def _note(self) -> None:
        """Write the trials down for whoever looks at them meanwhile."""
        trials = [_noted(trial) for trial in self._study.get_trials(deepcopy=False)]
        write_trials(self._sweep.folder, self._sweep.plan.maximize, self._sweep.plan.trials, trials)

    def _unfinished(self) -> list[optuna.Trial]:
        """Return the trials that an earlier command was at when it ended."""
        import optuna

        trials = self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        return [optuna.Trial(self._study, trial._trial_id) for trial in trials]

    def _ended(self) -> int:
        return sum(trial.state.is_finished() for trial in self._study.get_trials(deepcopy=False))

    def _fill(self) -> bool:
        """Start trials while workers are free and some are left; return whether some are left."""
        while len(self._running) < self._workers.capacity():
            if self._left_over:
                self._start(self._left_over.pop())
            elif len(self._study.get_trials(deepcopy=False)) < self._sweep.plan.trials:
                self._start(self._study.ask())
            else:
                return False
        return True

    def _start(self, trial: optuna.Trial) -> None:
        run = find_run(f"{self._sweep.name}-trial-{trial.number}")
        trial.set_user_attr(_RUN, run.name)
        try:
            # What was chosen for a trial before is chosen again.
            config = from_flat(_chosen(trial, self._sweep.plan.parameters), self._sweep.base)
            if not run.config_file.exists():
                create_run(config, str(run.path))
                run.write_note(f"Sweep {self._sweep.name}, trial {trial.number}.")
        except FerError as error:  # values that do not go together
            self._fail(trial, str(error))
            return
        told = len(self._study.get_trials(deepcopy=False)[trial.number].intermediate_values)
        self._running.append(_Running(trial, run, self._workers.start(run.path), told))

    def _look_at(self, running: _Running) -> None:
        try:
            done = running.future.done()
            state = outcome(running.future) if done else ""
            pruned = self._report(running)
        except ClusterError:
            raise
        except FerError as error:
            self._running.remove(running)
            self._fail(running.trial, str(error))
            return
        if not done and not pruned:
            return
        self._running.remove(running)
        if state == "finished":
            self._study.tell(running.trial, self._value(running.run))
        elif pruned:
            self._prune(running)
        else:
            self._fail(running.trial, reason_of(running.run) or f"Its run is {state}.")

    def _report(self, running: _Running) -> bool:
        """Tell the study the epochs that are new, and return whether it would rather see the run end."""
        values = running.run.history()[self._measure(running.run)].tolist()
        for epoch, value in enumerate(values[running.reported :], running.reported):
            running.trial.report(value, epoch)
        # A run that was killed may go on from an epoch that was told already.
        news, running.reported = len(values) > running.reported, max(len(values), running.reported)
        return news and running.trial.should_prune()

    def _prune(self, running: _Running) -> None:
        import optuna

        stop(running.run)
        running.future.cancel()
        self._study.tell(running.trial, state=optuna.trial.TrialState.PRUNED)

    def _fail(self, trial: optuna.Trial, reason: str) -> None:
        import optuna

        trial.set_user_attr(_REASON, reason)
        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def _measure(self, run: RunFolder) -> str:
        history = run.history()
        name = self._sweep.plan.maximize
        if len(history) and name not in history:
            raise RunError(f"The runs do not measure {name}: the data set has no votes. Maximize val_accuracy.")
        return name if name in history else "val_accuracy"

    def _value(self, run: RunFolder) -> float:
        """Return what a whole run reached: at the epoch that is its result."""
        values = run.history()[self._measure(run)]
        return float(values.max() if run.config().keeps_best else values.iloc[-1])


def _noted(trial: optuna.trial.FrozenTrial) -> Trial:
    state = _STATES.get(trial.state.name, RUNNING)
    so_far = max(trial.intermediate_values.values(), default=None)
    value = trial.value if state == FINISHED else so_far
    # Values of a run that diverged are no numbers.
    known = None if value is None or not math.isfinite(value) else value
    return Trial(trial.user_attrs.get(_RUN, ""), state, known, trial.params, trial.user_attrs.get(_REASON, ""))


def _chosen(trial: optuna.Trial, parameters: Mapping[str, Range | tuple[Any, ...]]) -> dict[str, Any]:
    return {name: _choose(trial, name, values) for name, values in parameters.items()}


def _choose(trial: optuna.Trial, name: str, values: Range | tuple[Any, ...]) -> Any:
    if not isinstance(values, Range):
        return trial.suggest_categorical(name, values)
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(name, values.low, values.high, log=values.log)
    return trial.suggest_float(name, values.low, values.high, log=values.log)


def table_of(trials: list[optuna.trial.FrozenTrial], maximize: str, most: int = 10) -> str:
    """Return the best trials as a table, and how many there are of each kind with the reasons of those that failed."""
    names = sorted({name for trial in trials for name in trial.params})
    rows = [["run", maximize, *names]]
    for trial in [trial for trial in trials if trial.state.name == "COMPLETE"][:most]:
        values = [trial.params.get(name, "") for name in names]
        rows.append([trial.user_attrs[_RUN], f"{trial.value:.2%}", *(_shown(value) for value in values)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    counts = {name: sum(trial.state.name == name for trial in trials) for name in ("COMPLETE", "PRUNED", "FAIL")}
    lines.append(f"{counts['COMPLETE']} trials whole, {counts['PRUNED']} ended early, {counts['FAIL']} failed")
    failed = [trial for trial in trials if trial.state.name == "FAIL"]
    return "\n".join(lines + [f"{trial.user_attrs[_RUN]}: {trial.user_attrs.get(_REASON, '')}" for trial in failed])


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
