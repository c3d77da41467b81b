"""Whether cleaning a data set makes a network better: train with and without its corrections, and compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_core.background.task import JobContext, Task
from fer_core.experiments.plan import SAVED, CleaningPlan, choose_corrections, open_experiment
from fer_core.experiments.result import CleaningResult, evaluation_splits, measure_cleaning, save_result
from fer_core.experiments.runs import Report, prepare_runs, train_in_turn
from fer_core.training.command import open_run_faces
from fer_core.training.config import RunConfig


def compare_cleaning(
    config: RunConfig, seeds: Sequence[int], corrections: str, splits: Sequence[str], report: Report
) -> CleaningResult:
    """Train a recipe on a data set with and without its corrections, and compare on the same faces.

    Runs that are finished with the same configuration are used; runs that were stopped go on.

    Args:
        config: the recipe and the data set.
        seeds: each is trained once on either side.
        corrections: "saved", "auto" or a path, as `choose_corrections` takes it.
        splits: to compare on; those of validation, without PrivateTest, if empty.
        report: called with epochs done, epochs in all, and what is going on.

    Returns:
        The result, which is also kept in the folder of the comparison.

    Raises:
        FerError: the data set, the corrections or the recipe cannot be used, or a run did not finish.
    """
    report(0, 0, "opening the data set")
    faces = open_run_faces(RunConfig(data=config.data))  # whole and uncorrected
    chosen = choose_corrections(corrections, config.data, faces, config.train_splits)
    plan = CleaningPlan(config, tuple(seeds), chosen)
    splits = evaluation_splits(plan, splits)
    for split in splits:
        faces.rows_of(split)  # known before hours of training
    folder = open_experiment(plan)
    planned = prepare_runs(plan, folder)
    train_in_turn(planned, config.epochs, report)
    report(len(planned) * config.epochs, len(planned) * config.epochs, "comparing")
    result = measure_cleaning(plan, folder, faces, planned, splits)
    save_result(result, folder)
    return result


@dataclass(frozen=True)
class CompareCleaning(Task):
    """Run a comparison in the background; one at a time for each data set.

    Attributes:
        config: as `RunConfig.to_dict` returns it.
        seeds: to train with.
        corrections: "saved" or "auto".
    """

    kind = "compare-cleaning"
    config: Mapping[str, Any]
    seeds: Sequence[int]
    corrections: str = SAVED

    @property
    def title(self) -> str:
        return f"Comparing {self.config['data']} before and after cleaning"

    @property
    def key(self) -> str:
        return comparison_key(self.config["data"])

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return the comparison's name as `name`; its result lies in its folder."""
        config = RunConfig.from_dict(self.config)
        return {"name": compare_cleaning(config, self.seeds, self.corrections, (), job.progress).name}


def comparison_key(data: str) -> str:
    """Return the key of the job that compares a data set before and after cleaning."""
    return f"{CompareCleaning.kind}-{data}"


def recipe_for(config: RunConfig, faces_splits: Sequence[str]) -> RunConfig:
    """Return a recipe on the splits that a data set has, validated on one that may be looked at.

    Raises:
        RunError: the data set has nothing to validate on.
    """
    candidates = (*config.validation_splits, "Validation", "PublicTest")
    validation = tuple(split for split in candidates if split in faces_splits and split not in ("PrivateTest", "Test"))
    return dataclasses.replace(config, validation_splits=validation[:1])
