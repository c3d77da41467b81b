"""A run is a folder anyone can read: this names its files and reads them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.background.locks import is_held
from fer_core.data.fingerprint import FINGERPRINT_FILE
from fer_core.emotions import LABELS
from fer_core.errors import RunError
from fer_core.files import atomic_path, read_json, write_json, write_text
from fer_core.models.bundle import KERAS_FILE, bundled_models
from fer_core.training.config import RunConfig
from fer_core.training.run.epochs import EpochRecord, read_epochs
from fer_core.training.run.records import (
    LIVE_STATES,
    STATES,
    ExportRecord,
    RunStatus,
    ValidationRecord,
    oom_kills,
    read_record,
)
from fer_core.training.run_faces import save_run_subset

__all__ = [
    "HEARTBEAT_S",
    "HISTORY_COLUMNS",
    "LIVE_STATES",
    "PROGRESS_COLUMNS",
    "STATES",
    "RunFolder",
    "RunStatus",
    "best_epoch",
]

# A run writes its status at least this often while it lives.
HEARTBEAT_S = 5.0
PROGRESS_COLUMNS = ("epoch", "step", "seconds", "loss", "accuracy")
HISTORY_COLUMNS = ("epoch", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate", "seconds")
_NOTE_LENGTH = 2000


@dataclass(frozen=True)
class RunFolder:
    """The files of one run below `path`."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def corrections_file(self) -> Path:
        return self.path / "marks.csv"

    @property
    def subset_file(self) -> Path:
        return self.path / "subset.json"

    @property
    def status_file(self) -> Path:
        return self.path / "status.json"

    @property
    def history_file(self) -> Path:
        return self.path / "history.csv"

    @property
    def progress_file(self) -> Path:
        return self.path / "progress.csv"

    @property
    def validation_file(self) -> Path:
        return self.path / "validation.json"

    @property
    def faces_file(self) -> Path:
        return self.path / "faces.png"

    @property
    def curves_file(self) -> Path:
        return self.path / "curves.png"

    @property
    def initial_weights_file(self) -> Path:
        return self.path / "began_with.json"

    @property
    def state_file(self) -> Path:
        return self.path / "state.npz"

    @property
    def last_weights_file(self) -> Path:
        return self.path / "last.weights.h5"

    @property
    def best_weights_file(self) -> Path:
        return self.path / "best.weights.h5"

    @property
    def keras_file(self) -> Path:
        return self.path / KERAS_FILE

    @property
    def fingerprint_file(self) -> Path:
        return self.path / FINGERPRINT_FILE

    @property
    def epochs_file(self) -> Path:
        return self.path / "validation_epochs.jsonl"

    @property
    def tensorboard_folder(self) -> Path:
        return self.path / "tensorboard"

    @property
    def mlflow_file(self) -> Path:
        return self.path / "mlflow_run.txt"

    @property
    def card_file(self) -> Path:
        return self.path / "card.json"

    @property
    def log_file(self) -> Path:
        return self.path / "log.txt"

    @property
    def lock_file(self) -> Path:
        return self.path / "process.lock"

    @property
    def stop_file(self) -> Path:
        return self.path / "stop"

    @property
    def model_folder(self) -> Path:
        return self.path / "model"

    @property
    def export_file(self) -> Path:
        return self.path / "export.json"

    @property
    def note_file(self) -> Path:
        return self.path / "note.txt"

    def create(self, config: RunConfig) -> None:
        """Make the folder and write the configuration, with a copy of the corrections and the subset as they are now.

        These go on changing in the data set; a run that is resumed needs those that it started with.

        Raises:
            RunError: the folder already holds a run, its name is that of a bundled model, or there is no such list of
                corrections.
            DataError: there is no such subset, or it has no face to train on.
        """
        if self.config_file.exists():
            raise RunError(f"{self.path} already holds a run. Resume it with --resume, or choose another folder.")
        if self.name in bundled_models():
            raise RunError(f"{self.name} is the name of a model that comes with the package. Choose another name.")
        if config.corrections and not Path(config.corrections).is_file():
            raise RunError(f"There is no list of corrections at {config.corrections}. Export one on the Data set page.")
        if config.subset:
            save_run_subset(config, self.subset_file)
        if config.corrections:
            with atomic_path(self.corrections_file) as partial:
                shutil.copyfile(config.corrections, partial)
        write_json(self.config_file, config.to_dict())

    def with_own_files(self, config: RunConfig) -> RunConfig:
        """Return the run's configuration with the paths of its own copies of the corrections and the subset."""
        return replace(
            config,
            corrections=str(self.corrections_file.resolve()) if config.corrections else "",
            subset=str(self.subset_file.resolve()) if config.subset else "",
        )

    def config(self) -> RunConfig:
        """Read the configuration.

        Raises:
            RunError: the folder holds no run or its configuration is broken.
        """
        try:
            return RunConfig.from_dict(read_json(self.config_file))
        except FileNotFoundError as error:
            raise RunError(f"{self.path} holds no run: config.json is missing.") from error
        except (ValueError, RecursionError) as error:
            raise RunError(f"{self.config_file} is broken: {error}.") from error
        except RunError as error:
            raise RunError(f"{self.config_file} cannot be used: {error}") from error

    @property
    def weights_file(self) -> Path:
        """The weights that are the run's result: of its best epoch or, where none may be picked, of its last."""
        return self.best_weights_file if self.config().keeps_best else self.last_weights_file

    def write_status(self, state: str, **fields: object) -> None:
        """Write the status of the run as this process sees it."""
        status = RunStatus(state, os.getpid(), time.time(), **{"oom_kills": oom_kills(), **fields})
        write_json(self.status_file, asdict(status))

    def status(self) -> RunStatus | None:
        """Read the status, or None before the first; a run whose process is gone shows as stopped or interrupted.

        A living process holds the lock of the run. The kernel frees it with the process, however that ended, and
        another process that gets the same process id does not hold it. A status that cannot be read has the state
        "broken" and says why.
        """
        try:
            status = read_record(self.status_file, RunStatus)
        except (RunError, OSError) as error:
            return RunStatus("broken", 0, 0.0, message=f"{error} Resume the run to write it anew, or delete the run.")
        if status is None or not status.live or is_held(self.lock_file):
            return status
        if self.stop_file.exists():
            return replace(status, state="stopped", message="")
        return replace(status, state="interrupted", message=_why_interrupted(status))

    def history(self) -> pd.DataFrame:
        """Read the history: one row for each finished epoch; empty before the first.

        Columns are those of `HISTORY_COLUMNS`, with epochs counted from 0, and further ones such as images_per_s, size
        or what `measure_epoch` returns, where the version that trained wrote them.

        Raises:
            RunError: the file is damaged.
        """
        history = _read_table(self.history_file, HISTORY_COLUMNS)
        if not len(history):
            return _empty_table(HISTORY_COLUMNS)
        if missing := [name for name in HISTORY_COLUMNS if name not in history]:
            raise RunError(f"history.csv is damaged: the column {missing[0]} is missing.")
        if not np.isfinite(history[list(HISTORY_COLUMNS)]).all(axis=None):
            raise RunError("history.csv is damaged: a value is not a finite number.")
        if history["epoch"].tolist() != list(range(len(history))):
            raise RunError("history.csv is damaged: expected the epochs 0, 1, 2 and so on, without gaps.")
        return history

    def progress(self) -> pd.DataFrame:
        """Read the current epoch: rows with the columns epoch (from 0), step (finished), seconds (since the epoch
        began), loss and accuracy (means over the epoch so far); empty between epochs, and if the file is damaged,
        which the next batch mends."""
        try:
            progress = _read_table(self.progress_file, PROGRESS_COLUMNS)
        except RunError:
            return _empty_table(PROGRESS_COLUMNS)
        whole = list(progress) == list(PROGRESS_COLUMNS) and np.isfinite(progress).all(axis=None)
        return progress if whole else _empty_table(PROGRESS_COLUMNS)

    def validation(self) -> ValidationRecord | None:
        """Read what was measured after the last epoch, or None before the first.

        Raises:
            RunError: the file is damaged.
        """
        return read_record(self.validation_file, ValidationRecord)

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes that the run learns; the seven emotions before its first epoch."""
        try:
            record = self.validation()
        except RunError:
            record = None  # shown as damaged elsewhere
        return LABELS if record is None else record.class_names

    def validation_epochs(self) -> Sequence[EpochRecord]:
        """Read what was measured after each epoch; empty for a run that an earlier version trained.

        Raises:
            RunError: the file is damaged.
        """
        return read_epochs(self.epochs_file)

    def export(self) -> ExportRecord | None:
        """Read what was measured of the run's model, or None if the run was not converted.

        Raises:
            RunError: the file is damaged.
        """
        return read_record(self.export_file, ExportRecord)

    def initial_weights(self) -> Mapping[str, Any] | None:
        """Read how the network was trained that the run started from, or None if it started from random weights.

        Raises:
            RunError: the file is damaged.
        """
        try:
            return read_json(self.initial_weights_file)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunError(
                f"{self.initial_weights_file} is damaged: {error}. Delete it and resume; the card then does not say "
                "what the run started from."
            ) from error

    def note(self) -> str:
        """Read the note that somebody wrote about the run; empty if there is none."""
        try:
            return self.note_file.read_text(encoding="utf-8", errors="replace")[:_NOTE_LENGTH]
        except FileNotFoundError:
            return ""

    def write_note(self, text: str) -> None:
        """Write a note about the run, of up to 2,000 characters."""
        write_text(self.note_file, text.strip()[:_NOTE_LENGTH])

    def problem(self) -> str:
        """Return as text why the run cannot be shown, or an empty text."""
        try:
            self.config()
            self.history()
        except (RunError, OSError) as error:
            return str(error)
        return ""

    def damaged_records(self) -> list[str]:
        """Return as text which of the records are damaged that a run can do without."""
        problems = []
        for read in (self.validation, self.validation_epochs, self.export):
            try:
                read()
            except (RunError, OSError) as error:
                problems.append(str(error))
        return problems


def _why_interrupted(status: RunStatus) -> str:
    killed = oom_kills()
    if killed is not None and status.oom_kills is not None and killed > status.oom_kills:
        return (
            "Its process was killed, most likely because memory ran out: the system has killed a process for that "
            "since the run last reported. Close other programs and resume it, or start again with smaller batches."
        )
    if killed is not None and status.oom_kills is not None and killed < status.oom_kills:
        return "The machine was restarted while it ran. Resume it to go on from its last whole epoch."
    return (
        "Its process ended unexpectedly: it was killed, perhaps because memory ran out, or the machine went down. "
        "Resume it to go on from its last whole epoch."
    )


def best_epoch(history: pd.DataFrame) -> int | None:
    """Return the row of the best validation accuracy, the first of equals, or None if there is none.

    While faces grow, only epochs with the largest faces so far count: faces of another size are easier or harder.
    """
    if not len(history):
        return None
    accuracy = history["val_accuracy"]
    if "size" in history:
        accuracy = accuracy.where(history["size"] == history["size"].max(), -1.0)
    return int(accuracy.argmax())


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that another process may be appending to; a half-written last row is left out.

    Raises:
        RunError: a row is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return _empty_table(columns)
    lines = content[: content.rfind(b"\n") + 1].decode("utf-8", errors="replace").split()
    if not lines:
        return _empty_table(columns)
    header, rows = lines[0].split(","), []
    if len(set(header)) < len(header):
        raise RunError(f"{path.name} is damaged: a column appears twice.")
    for number, line in enumerate(lines[1:], 2):
        try:
            rows.append([float("nan" if value == "NA" else value) for value in line.split(",")])
        except ValueError as error:
            raise RunError(f"{path.name} is damaged: line {number} is not a row of numbers.") from error
        if len(rows[-1]) != len(header):
            raise RunError(f"{path.name} is damaged: line {number} has {len(rows[-1])} values, not {len(header)}.")
    return pd.DataFrame(rows, columns=header, dtype=float)


def _empty_table(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns), dtype=float)
