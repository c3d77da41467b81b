"""All runs of this machine: where they are, what came of them, and which belong together."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fer_core.background.locks import is_held
from fer_core.errors import ModelError, RunError
from fer_core.files import NAME_PATTERN
from fer_core.models.card import ModelCard
from fer_core.models.model_store import available_models
from fer_core.settings import home_folder
from fer_core.training.config import RunConfig, flat
from fer_core.training.run.alerts import weakness
from fer_core.training.run.folder import RunFolder, best_epoch
from fer_core.training.run.records import Record


@dataclass(frozen=True)
class RunResult:
    """What a run is and what came of it, for a table. Shares run from 0 to 1; what is not known yet is None.

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
        config: its configuration.
        created_s: when the run was created, seconds since 1970.
        note: what somebody wrote about it.
        weakness: why a finished run is no success, in a few words; empty if it is one.
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
    config: RunConfig = field(default_factory=RunConfig)
    created_s: float = 0.0
    note: str = ""
    weakness: str = ""

    def matches(self, query: str) -> bool:
        """Return whether each word of `query` occurs in the name, state, note or configuration; case is ignored."""
        values = [f"{name}={_text(value)}" for name, value in flat(self.config).items()]
        text = "\n".join([self.name, self.state, self.weakness, self.note, *values]).casefold()
        return all(word in text for word in query.casefold().split())


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)


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
    if not NAME_PATTERN.fullmatch(str(name)):
        raise RunError(
            f"{str(name)!r} cannot name a run. Use 1 to 64 letters, digits, spaces, dots, dashes or "
            "underscores, beginning with a letter or digit."
        )
    return RunFolder((root or runs_root()) / name)


def run_named(name: str) -> RunFolder:
    """Return the run of a name, never of a path: a page starts runs in one place only.

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
            if NAME_PATTERN.fullmatch(path.parent.name):
                changed[path.parent] = path.stat().st_mtime
        except FileNotFoundError:
            continue  # it was deleted this very moment
    return [RunFolder(path) for path in sorted(changed, key=changed.get, reverse=True)]


def broken_runs(runs: Sequence[RunFolder]) -> dict[str, str]:
    """Return the runs that cannot be shown since a file of theirs is damaged: name to what is wrong."""
    return {run.name: problem for run in runs if (problem := run.problem())}


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
    """Read what came of `run` so far.

    Raises:
        RunError: its configuration or history is damaged.
    """
    status, history, config = run.status(), run.history(), run.config()
    best = best_epoch(history)
    accuracy = None if best is None else float(history["val_accuracy"].iloc[best if config.keeps_best else -1])
    card, export, validation = _card(run), _optional(run.export), _optional(run.validation)
    size = export.bytes if export else _size(run.weights_file)
    state = status.state if status else "interrupted"
    return RunResult(
        name=run.name,
        state=state,
        epochs=len(history),
        validation_accuracy=accuracy,
        public_accuracy=_accuracy(card, "PublicTest"),
        private_accuracy=_accuracy(card, "PrivateTest"),
        parameters=card.parameters if card and isinstance(card.parameters, int) else None,
        size_bytes=size,
        ms_per_face=export.ms_per_face if export else None,
        seconds=float(history["seconds"].sum()),
        config=config,
        created_s=run.config_file.stat().st_mtime,
        note=run.note(),
        weakness=weakness(validation) if state == "finished" else "",
    )


def seed_groups(results: Sequence[RunResult]) -> list[list[RunResult]]:
    """Return the runs that differ in nothing but their seed together, in the order of the first of each group."""
    groups: dict[RunConfig, list[RunResult]] = {}
    for result in results:
        groups.setdefault(replace(result.config, seed=0), []).append(result)
    return list(groups.values())


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None


def _optional(read: Callable[[], Record | None]) -> Record | None:
    try:
        return read()
    except RunError:
        return None  # a damaged record gives no figures; the run's own page says what is wrong with it


def _card(run: RunFolder) -> ModelCard | None:
    if not run.card_file.exists():
        return None
    try:
        return ModelCard.load(run.card_file)
    except (ModelError, ValueError, AttributeError, RecursionError):
        return None  # an altered card gives no figures; exporting the run says what is wrong with it


def _accuracy(card: ModelCard | None, split: str) -> float | None:
    figures = card.metrics.get(split) if card and isinstance(card.metrics, Mapping) else None
    accuracy = figures.get("accuracy") if isinstance(figures, Mapping) else None
    return float(accuracy) if isinstance(accuracy, int | float) else None
