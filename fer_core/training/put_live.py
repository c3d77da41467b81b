"""Make the result of a run the model of the live page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.audit.hold_out import open_split_faces
from fer_core.background.task import JobContext, Task
from fer_core.errors import ModelError, RunError
from fer_core.files import sha256_of
from fer_core.models.bundle import CARD_FILE
from fer_core.models.card import ModelCard
from fer_core.models.model_store import chosen_model, folder_of, put_live
from fer_core.training.model_jobs import TENSORFLOW
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.records import ExportRecord


@dataclass(frozen=True)
class PutRunLive(Task):
    """Convert the result of a finished run and put it live.

    Attributes:
        folder: of the run.
    """

    kind = "put-live"
    environment = TENSORFLOW
    folder: str

    @property
    def title(self) -> str:
        return f"Converting {Path(self.folder).name} for the live page"

    @property
    def key(self) -> str:
        return export_key(RunFolder(Path(self.folder)))

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return the name under which the model is live as `model`."""
        from fer_core.training.export import checked_faces, export_run

        run = RunFolder(Path(self.folder))
        run.export_file.unlink(missing_ok=True)
        faces = checked_faces(open_split_faces(run.config().data), run)
        export_run(run, "litert", run.model_folder, faces, steps=job.progress)
        return {"model": put_run_live(run)}


def export_key(run: RunFolder) -> str:
    """Return the key of the job that converts a run."""
    return f"put-live-{run.path.resolve()}"


def export_figures(run: RunFolder) -> ExportRecord | None:
    """Return what was measured when a run was converted, or None if it was not, or that cannot be read any more."""
    try:
        return run.export()
    except RunError:
        return None  # putting the run live converts it again


def is_exported(run: RunFolder) -> bool:
    """Return whether the run's present result was converted already."""
    figures = export_figures(run)
    return figures is not None and run.weights_file.exists() and figures.weights_sha256 == sha256_of(run.weights_file)


def put_run_live(run: RunFolder) -> str:
    """Put the converted result of a run live and return the model's name.

    Raises:
        ModelError: it is not whole.
    """
    return put_live(run.model_folder, run.name)


def is_live(run: RunFolder) -> bool:
    """Return whether the live page's model is the network of this run: another run may have had its name."""
    try:
        return (
            ModelCard.load(run.model_folder / CARD_FILE).files
            == ModelCard.load(folder_of(chosen_model()) / CARD_FILE).files
        )
    except ModelError:
        return False
