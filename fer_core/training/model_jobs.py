"""Background jobs that bring models in and take them out; their processes load Keras, the web server never does."""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.audit.hold_out import open_split_faces
from fer_core.background.task import JobContext, Task
from fer_core.data.demo import demo_set
from fer_core.files import remove_abandoned
from fer_core.models.bundle import MODEL_FILE
from fer_core.models.importing.description import Description
from fer_core.models.model_store import add_model, free_name, models_root
from fer_core.training.run.folder import RunFolder

TENSORFLOW = {"KERAS_BACKEND": "tensorflow"}
_COMPARED_FACES = 256


@dataclass(frozen=True)
class ExportModel(Task):
    """Write a model in a form for other programs, as a ZIP archive.

    Attributes:
        name: of the model.
        source: folder of the run that gave it or, where there is none, of the model itself.
        form: "litert", "onnx", "onnx-int8" or "keras".
        sha256: of the model's network: one that is replaced under its name is exported anew.
        data: data set on whose faces a model without a run is compared, which "onnx-int8" needs; synthetic faces if
            empty.
    """

    kind = "export-model"
    environment = TENSORFLOW
    name: str
    source: str
    form: str
    sha256: str
    data: str = ""

    @property
    def title(self) -> str:
        return f"Writing {self.name} as {self.form}"

    @property
    def key(self) -> str:
        return f"{export_prefix(self.name, self.form)}{self.sha256[:12]}"

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return what was measured as `figures` and the archive's name in the output folder as `archive`."""
        from fer_core.training.export import checked_faces, export_model, export_run

        folder, run = job.outputs / "model", RunFolder(Path(self.source))
        if run.config_file.exists():
            faces = checked_faces(open_split_faces(run.config().data), run)
            exported = export_run(run, self.form, folder, faces, steps=job.progress)
        else:
            faces = _first_faces(self.data) if self.data else demo_set(_COMPARED_FACES).images
            exported = export_model(run.path, self.form, folder, faces, job.progress)
        archive = f"{self.name}-{self.form}.zip"
        _archive(folder, self.name, job.outputs / archive)
        figures = {**dataclasses.asdict(exported), "file": exported.file.name}
        return {"figures": figures, "archive": archive}


@dataclass(frozen=True)
class ImportModel(Task):
    """Import an uploaded model.

    Attributes:
        file: its name in the job's input folder.
        name: what to call it; empty takes the file's.
        architecture: of the registered network that the weights belong to; empty to find out.
        labels: of a foreign network, in the order of its scores; empty for any other.
        input_size: of the faces it takes, pixels.
        scale: range of its input, one of `SCALES`.
        resize: how faces are resized, one of `RESIZE_METHODS`.
    """

    kind = "import-model"
    environment = TENSORFLOW
    file: str
    name: str = ""
    architecture: str = ""
    labels: Sequence[str] = ()
    input_size: int = 0
    scale: str = ""
    resize: str = ""

    @property
    def title(self) -> str:
        return f"Importing {self.file}"

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return what was imported: name, parameters, labels, bytes and the difference between both forms."""
        from fer_core.models.importing.importer import import_model

        for remains in (".upload-*", ".new-*"):  # of processes that were killed
            remove_abandoned(models_root(), remains)
        name, folder = self.name or free_name(self.file), job.outputs / "model"
        description = Description(tuple(self.labels), self.input_size, self.scale, self.resize) if self.labels else None
        imported = import_model(
            job.inputs / self.file,
            folder,
            name,
            demo_set(_COMPARED_FACES).images,
            self.architecture or None,
            description,
            job.progress,
        )
        size = (folder / MODEL_FILE).stat().st_size
        add_model(folder, name)
        shutil.rmtree(folder)
        card = imported.card
        return {
            "name": name,
            "architecture": card.architecture,
            "parameters": card.parameters,
            "labels": list(card.labels),
            "difference": imported.difference,
            "bytes": size,
        }


def export_prefix(name: str, form: str) -> str:
    """Return what the keys of a model's exports begin with; names have no colon, so no other model's do."""
    return f"export:{form}:{name}:"


def _first_faces(data: str) -> np.ndarray:
    return np.array(open_split_faces(data).images[:_COMPARED_FACES])


def _archive(folder: Path, name: str, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{name}/{file.name}")
    shutil.rmtree(folder)
