"""The runs of a comparison: those that exist already, and the others, trained one after another."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fer_core.audit.corrections import load_corrections
from fer_core.errors import DataError, ModelError, RunError
from fer_core.experiments.plan import Arm, CleaningPlan, ExperimentFolder, decisions
from fer_core.models.bundle import CARD_FILE, MODEL_FILE
from fer_core.models.card import ModelCard
from fer_core.training.command import create_run
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.process import launch, stop
from fer_core.training.run.store import find_run, list_runs

# (share of all epochs done, epochs in all, what is going on)
Report = Callable[[float, float, str], None]
_POLL_S = 0.5
_DESCRIPTIONS = {Arm.ORIGINAL: "the data set as it is", Arm.CLEANED: "the data set with its corrections"}


@dataclass(frozen=True)
class PlannedRun:
    """A run of a comparison.

    Attributes:
        arm: the side it is on.
        seed: of its configuration.
        run: its folder.
    """

    arm: Arm
    seed: int
    run: RunFolder


def prepare_runs(plan: CleaningPlan, folder: ExperimentFolder) -> list[PlannedRun]:
    """Return the runs of a comparison, both sides of each seed in turn; those that are missing are created.

    A finished run of any name is used if it has the same configuration and was trained on the same faces.

    Raises:
        RunError: the name of a run is taken by one with another configuration.
        FerError: the recipe cannot be trained.
    """
    hashes = {arm: plan.open_faces(arm, folder.corrections_file).hash for arm in Arm}
    runs = list_runs()
    return [
        PlannedRun(arm, seed, _finished_run(plan, folder, arm, seed, hashes, runs) or _own_run(plan, folder, arm, seed))
        for seed in plan.seeds
        for arm in Arm
    ]


def train_in_turn(planned: Sequence[PlannedRun], epochs: int, report: Report) -> None:
    """Train the runs that are not finished, one after another; each waits for its turn on the device.

    If this is interrupted, the run in progress is stopped; it goes on from its last whole epoch the next time.

    Args:
        planned: as `prepare_runs` returns them.
        epochs: of each run.
        report: called twice a second.

    Raises:
        RunError: a run failed or was stopped by somebody else.
    """
    total = len(planned) * epochs
    for number, item in enumerate(planned):
        where = f"run {number + 1} of {len(planned)} ({item.arm}, seed {item.seed})"

        def report_run(epochs_done: float, phase: str, number: int = number, where: str = where) -> None:
            report(number * epochs + epochs_done, total, f"{where}: {phase}")

        if _state(item.run) != "finished":
            _train(item.run, epochs, report_run)
        report((number + 1) * epochs, total, where)


def _train(run: RunFolder, epochs: int, report: Callable[[float, str], None]) -> None:
    started = _state(run) not in ("waiting", "starting", "running", "measuring")
    if started:
        launch(run)
    try:
        for epochs_done, phase in _watch(run, epochs):
            report(epochs_done, phase)
            time.sleep(_POLL_S)
    except BaseException:  # Ctrl-C, or the job was cancelled
        if started:
            stop(run)
        raise
    status = run.status()
    if status is None or status.state != "finished":
        reason = status.message if status and status.message else "It was stopped."
        raise RunError(
            f"The run {run.name!r} did not finish. {reason} Start the comparison again: it goes on from the last "
            "whole epoch."
        )


def _watch(run: RunFolder, epochs: int) -> Iterator[tuple[float, str]]:
    """Yield how many epochs are done and what the run does, for as long as a process works on it."""
    while (status := run.status()) is not None and status.live:
        part = status.step / status.steps_per_epoch if status.steps_per_epoch else 0.0
        phase = f"epoch {min(status.epoch + 1, epochs)} of {epochs}" if status.state == "running" else status.state
        yield min(status.epoch + part, epochs), phase


def _finished_run(
    plan: CleaningPlan,
    folder: ExperimentFolder,
    arm: Arm,
    seed: int,
    hashes: Mapping[Arm, str],
    runs: Sequence[RunFolder],
) -> RunFolder | None:
    for run in runs:
        try:
            if (
                _state(run) == "finished"
                and _same_configuration(run, plan, folder, arm, seed)
                and ModelCard.load(run.model_folder / CARD_FILE).data["sha256"] == hashes[arm]
                and (run.model_folder / MODEL_FILE).is_file()
            ):
                return run
        except (RunError, ModelError, DataError, OSError, KeyError):
            continue  # damaged: it cannot be compared
    return None


def _own_run(plan: CleaningPlan, folder: ExperimentFolder, arm: Arm, seed: int) -> RunFolder:
    """Return the run under its usual name, created if need be."""
    run = find_run(f"{folder.name}-{arm}-{seed}")
    if not run.config_file.exists():
        run = create_run(plan.config_of(arm, seed, folder.corrections_file), run.name)
        run.write_note(f"Comparison {folder.name}: {_DESCRIPTIONS[arm]}, seed {seed}.")
        return run
    if _state(run) == "finished" or not _same_configuration(run, plan, folder, arm, seed):
        raise RunError(
            f"There is already a run named {run.name!r}, with another configuration, other data or without a model. "
            "Delete it and start the comparison again."
        )
    return run


def _same_configuration(run: RunFolder, plan: CleaningPlan, folder: ExperimentFolder, arm: Arm, seed: int) -> bool:
    config = run.config()
    if dataclasses.replace(config, corrections="") != dataclasses.replace(plan.config, seed=seed):
        return False
    if bool(config.corrections) != (arm is Arm.CLEANED):
        return False
    if arm is Arm.ORIGINAL:
        return True
    own = plan.corrections
    held = load_corrections(run.corrections_file, own.data, own.n, own.class_names)
    return decisions(held) == decisions(plan.corrections)


def _state(run: RunFolder) -> str:
    status = run.status()
    return status.state if status else "interrupted"
