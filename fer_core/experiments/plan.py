"""What a comparison before and after cleaning trains: the same recipe and seeds, with and without corrections."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from fer_core.audit.automatic_corrections import automatic_corrections
from fer_core.audit.corrections import Correction, Corrections, load_corrections
from fer_core.audit.corrections_file import corrections_path
from fer_core.audit.first_look import first_look
from fer_core.data.face_set import FaceSet
from fer_core.data.store import store_name
from fer_core.errors import DataError, RunError
from fer_core.files import read_json, write_json
from fer_core.settings import home_folder
from fer_core.training.command import open_run_faces
from fer_core.training.config import RunConfig

SAVED, AUTOMATIC = "saved", "auto"
_PLAN_FILE, _CORRECTIONS_FILE = "plan.json", "corrections.csv"
# So that the names of runs, with a number, an arm and a seed behind it, stay within 64 characters.
_MAX_NAME = 30


class Arm(StrEnum):
    """One side of the comparison."""

    ORIGINAL = "original"
    CLEANED = "cleaned"


@dataclass(frozen=True)
class CleaningPlan:
    """A recipe to be trained on a data set as it is and as its corrections leave it.

    Attributes:
        config: the recipe; its seed and corrections are replaced by those below.
        seeds: each is trained once on either side.
        corrections: of the data set.
    """

    config: RunConfig
    seeds: tuple[int, ...]
    corrections: Corrections

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise RunError(f"Expected different seeds; got {' '.join(map(str, self.seeds)) or 'none'}.")
        object.__setattr__(self, "config", dataclasses.replace(self.config, seed=0, corrections=""))

    def config_of(self, arm: Arm, seed: int, corrections_file: Path) -> RunConfig:
        """Return the configuration of one run; `corrections_file` holds the corrections."""
        corrections = str(corrections_file) if arm is Arm.CLEANED else ""
        return dataclasses.replace(self.config, seed=seed, corrections=corrections)

    def open_faces(self, arm: Arm, corrections_file: Path) -> FaceSet:
        """Open the data set as the runs of an arm see it."""
        return open_run_faces(self.config_of(arm, 0, corrections_file))


def choose_corrections(source: str, data: str, faces: FaceSet, train_splits: tuple[str, ...]) -> Corrections:
    """Return the corrections that a comparison applies.

    Args:
        source: "saved" for the data set's own list, "auto" for what its faults alone justify, or path of an exported
            list.
        data: name of the data set.
        faces: its content.
        train_splits: splits that are trained on.

    Raises:
        DataError: there is no such list, or it changes no image that is trained on.
    """
    if source == AUTOMATIC:
        corrections = automatic_corrections(first_look(faces).findings, faces.hash, datetime.now(UTC))
    else:
        path = corrections_path(data) if source == SAVED else Path(source)
        if source == SAVED and not path.exists():
            raise DataError(
                f"No image of {data} is marked yet. Mark some on the Data set page, or use --corrections {AUTOMATIC}."
            )
        corrections = load_corrections(path, faces.hash, len(faces), faces.class_names)
    rows = set(faces.rows_of(*train_splits).tolist())
    if not any(_changes(correction, faces) for row, correction in corrections.current.items() if row in rows):
        raise DataError(
            f"The corrections change no image in {' or '.join(train_splits)}, so there is nothing to compare. Mark "
            "images there first."
        )
    return corrections


def _changes(correction: Correction, faces: FaceSet) -> bool:
    label = correction.label
    return (
        not label
        or Corrections(faces.hash, len(faces), (correction,), faces.class_names).apply(faces.labels)[1][correction.row]
        != faces.labels[correction.row]
    )


@dataclass(frozen=True)
class ExperimentFolder:
    """The files of one comparison: its plan, its corrections as they were at the start, and its result."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def plan_file(self) -> Path:
        return self.path / _PLAN_FILE

    @property
    def corrections_file(self) -> Path:
        return self.path / _CORRECTIONS_FILE

    @property
    def result_file(self) -> Path:
        return self.path / "result.json"


def experiments_root() -> Path:
    """Return the folder of all comparisons."""
    return home_folder() / "experiments"


def open_experiment(plan: CleaningPlan) -> ExperimentFolder:
    """Return the folder of a comparison: the one it already has, with whatever seeds, or a new one.

    Raises:
        DataError: its files cannot be written.
    """
    content = _content(plan)
    folder = next(folder for folder in _candidates(plan) if _is_free_or_holds(folder, content, plan.corrections))
    if not folder.plan_file.exists():
        plan.corrections.save(folder.corrections_file)
        try:
            write_json(folder.plan_file, content)
        except OSError as error:
            raise DataError(f"{folder.plan_file} cannot be written: {error.strerror or error}.") from error
    return folder


def list_experiments() -> list[ExperimentFolder]:
    """Return all comparisons, the newest first."""
    files = sorted(
        experiments_root().glob(f"*/{_PLAN_FILE}"), key=lambda file: (file.stat().st_mtime, file.parent), reverse=True
    )
    return [ExperimentFolder(file.parent) for file in files]


def _candidates(plan: CleaningPlan) -> Iterator[ExperimentFolder]:
    name = f"cleaning-{store_name(Path(plan.config.data).name, ())[:_MAX_NAME].strip(' ._-')}"
    number = 1
    while True:
        yield ExperimentFolder(experiments_root() / (name if number == 1 else f"{name}-{number}"))
        number += 1


def _content(plan: CleaningPlan) -> dict[str, Any]:
    return {"config": plan.config.to_dict(), "data_hash": plan.corrections.data}


def _is_free_or_holds(folder: ExperimentFolder, content: Mapping[str, Any], corrections: Corrections) -> bool:
    if not folder.plan_file.exists():
        return True
    try:
        held = load_corrections(folder.corrections_file, corrections.data, corrections.n, corrections.class_names)
        return read_json(folder.plan_file) == content and decisions(held) == decisions(corrections)
    except (DataError, ValueError):
        return False  # damaged, or about another data set


def decisions(corrections: Corrections) -> dict[int, tuple[str, str]]:
    """Return what is done with each marked row, (action, label), whenever and why it was decided."""
    return {row: (correction.action, correction.label) for row, correction in corrections.current.items()}
