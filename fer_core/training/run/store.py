"""All runs of this machine: where they lie, what they gave, and how their configurations differ."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_core.background.locks import is_held
from fer_core.errors import ModelError, RunError
from fer_core.files import read_json
from fer_core.models.card import ModelCard
from fer_core.models.model_store import available_models
from fer_core.settings import home_folder
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder, best_epoch

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


@dataclass(frozen=True)
class RunResult:
    """What a run gave, for a table. Shares run from 0 to 1; what is not known yet is None.

    Attributes:
        name: of the run.
        state: as in its status.
        epochs: finished epochs.
        validation_accuracy: best of all epochs, or the last where none may be picked.
        public_accuracy: on PublicTest, from the card of a finished run.
        private_accuracy: on PrivateTest, measured once after training.
        parameters: number of weights.
        size_bytes: of the file that the app would use, else of the weights.
        ms_per_face: milliseconds for one face in the runtime of the app.
        seconds: of all epochs together.
    """

    name: str
    state: str
    epochs: int = 0
    validation_accuracy: float | None = None
    public_accuracy: float | None = None
    private_accuracy: float | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    ms_per_face: float | None = None
    seconds: float = 0.0


def runs_root() -> Path:
    """Return the folder of all runs."""
    return home_folder() / "runs"


def find_run(name: str | Path, root: Path | None = None) -> RunFolder:
    """Return the folder of a run by its name or, if it has a separator, by its path; it need not exist.

    Raises:
        RunError: the name cannot be used.
    """
    if "/" in str(name):
        return RunFolder(Path(name).resolve())
    if not _NAME.fullmatch(str(name)):
        raise RunError(
            f"{str(name)!r} cannot name a run. Use 1 to 64 letters, digits, spaces, dots, dashes or "
            "underscores, beginning with a letter or digit."
        )
    return RunFolder((root or runs_root()) / name)


def run_named(name: str) -> RunFolder:
    """Return the run of a name, never of a path: what a page may start, with all runs in one place.

    Raises:
        RunError: the name cannot be used.
    """
    if "/" in name:
        raise RunError(f"{name!r} cannot name a run: a name has no slash.")
    return find_run(name)


def list_runs(root: Path | None = None) -> list[RunFolder]:
    """Return all runs, the newest first."""
    changed = {}
    for path in (root or runs_root()).glob("*/config.json"):
        try:
            if _NAME.fullmatch(path.parent.name):
                changed[path.parent] = path.stat().st_mtime
        except FileNotFoundError:
            continue  # it was deleted this very moment
    return [RunFolder(path) for path in sorted(changed, key=changed.get, reverse=True)]


def broken_runs(runs: Sequence[RunFolder]) -> dict[str, str]:
    """Return the runs whose configuration cannot be read: name to what is wrong."""
    problems = {}
    for run in runs:
        try:
            run.config()
        except RunError as error:
            problems[run.name] = str(error)
    return problems


def free_name(config: RunConfig, root: Path | None = None) -> str:
    """Return a name that no run and no model has yet, such as `seed-cnn-2`; a model may outlive its run."""
    taken = {run.name for run in list_runs(root)} | set(available_models())
    return next(name for number in range(1, len(taken) + 2) if (name := f"{config.architecture}-{number}") not in taken)


def delete_run(run: RunFolder) -> None:
    """Delete a run and all its files.

    Raises:
        RunError: it is running or waits for its turn.
    """
    if is_held(run.lock_file):
        raise RunError(f"The run {run.name!r} is still going on. Stop it before deleting it.")
    run.config_file.unlink(missing_ok=True)  # first, so that a kill half-way leaves no run
    shutil.rmtree(run.path)


def result_of(run: RunFolder) -> RunResult:
    """Read what `run` gave so far."""
    status, history = run.status(), run.history()
    best = best_epoch(history)
    keeps_best = run.config().keeps_best
    accuracy = None if best is None else float(history["val_accuracy"].iloc[best if keeps_best else -1])
    card, export = _card(run), read_json(run.export_file) if run.export_file.exists() else {}
    metrics = card.metrics if card else {}
    size = export.get("bytes") or (run.weights_file.stat().st_size if run.weights_file.exists() else None)
    return RunResult(
        name=run.name,
        state=status.state if status else "interrupted",
        epochs=len(history),
        validation_accuracy=accuracy,
        public_accuracy=metrics.get("PublicTest", {}).get("accuracy"),
        private_accuracy=metrics.get("PrivateTest", {}).get("accuracy"),
        parameters=card.parameters if card else None,
        size_bytes=size,
        ms_per_face=export.get("ms_per_face"),
        seconds=float(history["seconds"].sum()),
    )


def _card(run: RunFolder) -> ModelCard | None:
    if not run.card_file.exists():
        return None
    try:
        return ModelCard.load(run.card_file)
    except ModelError:
        return None  # an altered card gives no figures; the run's own page says what is wrong with it
