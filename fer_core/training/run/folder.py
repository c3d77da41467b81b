"""A run is a folder anyone can read: this names its files and reads them."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from fer_core.background.locks import is_held
from fer_core.errors import RunError
from fer_core.files import atomic_path, write_json
from fer_core.training.config import RunConfig

# A run writes its status at least this often while it lives.
HEARTBEAT_S = 5.0
# The states in which a process belongs to the run; without one, the run was interrupted.
LIVE_STATES = ("waiting", "starting", "running", "measuring")
STATES = (*LIVE_STATES, "stopped", "finished", "failed", "interrupted")


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands.

    Attributes:
        state: one of `STATES`.
        pid: process id of the process that last wrote the status.
        time_s: when it was written, seconds since 1970.
        epoch: finished epochs.
        step: finished steps of the epoch under way.
        steps_per_epoch: steps an epoch has.
        message: what happened, in words; empty while all is well.
        since_s: when the process was started, seconds since 1970.
        device: what it trains on, in words.
        queue: the device it waits for, by `device_key`.
    """

    state: str
    pid: int
    time_s: float
    epoch: int = 0
    step: int = 0
    steps_per_epoch: int = 0
    message: str = ""
    since_s: float = 0.0
    device: str = ""
    queue: str = ""

    @property
    def live(self) -> bool:
        """Whether a process is at work on the run, or waits for its turn."""
        return self.state in LIVE_STATES


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

    def create(self, config: RunConfig) -> None:
        """Make the folder and write the configuration, with a copy of the corrections as they are now.

        Corrections go on being made in the data set; a run that is resumed needs those that it began with.

        Raises:
            RunError: the folder already holds a run, or there is no such list of corrections.
        """
        if self.config_file.exists():
            raise RunError(f"{self.path} already holds a run. Resume it with --resume, or choose another folder.")
        if config.corrections:
            try:
                with atomic_path(self.corrections_file) as partial:
                    shutil.copyfile(config.corrections, partial)
            except FileNotFoundError as error:
                raise RunError(
                    f"There is no list of corrections at {config.corrections}. Export one on the Data set page."
                ) from error
        write_json(self.config_file, config.to_dict())

    def config(self) -> RunConfig:
        """Read the configuration.

        Raises:
            RunError: the folder holds no run or its configuration is broken.
        """
        try:
            return RunConfig.from_dict(json.loads(self.config_file.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise RunError(f"{self.path} holds no run: config.json is missing.") from error
        except json.JSONDecodeError as error:
            raise RunError(f"{self.config_file} is broken: {error}.") from error

    @property
    def weights_file(self) -> Path:
        """The weights that are the run's result: of its best epoch or, where none may be picked, of its last."""
        return self.best_weights_file if self.config().keeps_best else self.last_weights_file

    def write_status(self, state: str, **fields: object) -> None:
        """Write the status of the run as this process sees it."""
        write_json(self.status_file, asdict(RunStatus(state, os.getpid(), time.time(), **fields)))

    def status(self) -> RunStatus | None:
        """Read the status, or None before the first; a run whose process is gone shows as stopped or interrupted.

        A living process holds the lock of the run. The kernel frees it with the process, whatever
        ended that, and another process that gets the same process id does not hold it.
        """
        try:
            status = RunStatus(**json.loads(self.status_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        if not status.live or is_held(self.lock_file):
            return status
        if self.stop_file.exists():
            return replace(status, state="stopped", message="")
        return replace(
            status,
            state="interrupted",
            message="Its process ended without a word: it was killed, ran out of memory, or the machine "
            "went down. Resume it to go on from its last whole epoch.",
        )

    def history(self) -> pd.DataFrame:
        """Read the history: one row a finished epoch, with the columns epoch (from 0), accuracy, loss,
        val_accuracy, val_loss, learning_rate and seconds; empty before the first."""
        return _read_table(
            self.history_file, ("epoch", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate", "seconds")
        )

    def progress(self) -> pd.DataFrame:
        """Read the epoch under way: rows with the columns epoch (from 0), step (finished), seconds (since the
        epoch began), loss and accuracy (means over the epoch so far); empty between epochs."""
        return _read_table(self.progress_file, PROGRESS_COLUMNS)


PROGRESS_COLUMNS = ("epoch", "step", "seconds", "loss", "accuracy")


def best_epoch(history: pd.DataFrame) -> int | None:
    """Return the row of the best validation accuracy, the first of equals, or None if there is none.

    While faces grow, only epochs with the largest faces so far count: the others answer an easier or
    harder question.
    """
    if not len(history):
        return None
    accuracy = history["val_accuracy"]
    if "size" in history:
        accuracy = accuracy.where(history["size"] == history["size"].max(), -1.0)
    return int(accuracy.argmax())


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that another process may be appending to; a half-written last row is left out."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return pd.DataFrame(columns=list(columns), dtype=float)
    lines = text[: text.rfind(b"\n") + 1].decode("utf-8").split()
    if not lines:
        return pd.DataFrame(columns=list(columns), dtype=float)
    rows = [[float(word) for word in line.split(",")] for line in lines[1:]]
    return pd.DataFrame(rows, columns=lines[0].split(","), dtype=float)
