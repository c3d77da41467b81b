"""The commands `import` and `export`: models of other origin in, models of this program out."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.data.demo import demo_set
from fer_core.data.face_set import FaceSet
from fer_core.dependencies import require_training
from fer_core.errors import ModelError
from fer_core.models.bundle import CARD_FILE, MODEL_FILE
from fer_core.models.importing.description import RESIZE_METHODS, describe
from fer_core.models.importing.inspection import inspect_file
from fer_core.models.model_store import (
    add_model,
    available_models,
    check_name,
    find_model,
    free_name,
)
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.store import find_run, list_runs
from fer_core.training.run_faces import open_run_faces

if TYPE_CHECKING:
    from fer_core.training.export import Exported  # loads Keras

_CHECKED_FACES = 256


@dataclass(frozen=True)
class ImportOptions:
    """The options of `fer import`.

    Attributes:
        file: a .keras or .weights.h5 file of a network of this program, the original script's model.h5, or a
            whole Keras model.
        name: what to call it; taken from the file if None.
        out: folder to write the model to; it joins the available models if None.
        architecture: network that the weights belong to; None to find out.
        labels: of a network of other origin: its seven labels in the order of its scores, with commas between them.
        input_size: of such a network: width and height of the faces it takes, pixels.
        scale: of such a network: range of its input, one of `SCALES`.
        resize: how faces come to that size, one of `RESIZE_METHODS`.
        json: whether to print JSON in place of a sentence.
    """

    file: Path
    name: str | None = None
    out: Path | None = None
    architecture: str | None = None
    labels: str | None = None
    input_size: int | None = None
    scale: str | None = None
    resize: str = RESIZE_METHODS[0]
    json: bool = False


@dataclass(frozen=True)
class ExportOptions:
    """The options of `fer export`.

    Attributes:
        name: of a run or a model, or path of its folder.
        format: "litert", "onnx", "onnx-int8" or "keras".
        out: folder to write; one in the run's folder or, for a model, in the current one if None.
        data: data set on whose faces both forms are compared; the run's or, for a model, synthetic faces if None.
        trainable: whether to write the weights that training can go on from too.
        json: whether to print JSON in place of a sentence.
    """

    name: str
    format: str = "litert"
    out: Path | None = None
    data: str | None = None
    trainable: bool = False
    json: bool = False


def run_import(options: ImportOptions) -> None:
    """Import a model and print what was imported.

    Raises:
        DependencyError: the extra `train` is not installed.
        ModelError: the file, its description or the name cannot be used.
    """
    require_training("Importing a model", any_backend=False)
    description = describe(options.labels, options.input_size, options.scale, options.resize)
    name = options.name or free_name(options.file.name)
    check_name(name)
    if options.out is None and name in available_models():
        raise ModelError(f"There is a model named {name!r} already. Choose another --name.")
    inspect_file(options.file)
    from fer_core.models.importing.importer import import_model  # after the quick checks: this loads Keras

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        imported = import_model(options.file, folder, name, _synthetic_faces(), options.architecture, description)
        size = (folder / MODEL_FILE).stat().st_size
        if options.out is None:
            add_model(folder, name)
    figures = {
        "name": name,
        "architecture": imported.card.architecture,
        "parameters": imported.card.parameters,
        "labels": imported.card.labels,
        "difference": imported.difference,
        "bytes": size,
    }
    print(json.dumps(figures) if options.json else _import_sentence(figures, options.out))


def _import_sentence(figures: dict[str, Any], out: Path | None) -> str:
    return (
        f"Imported as {figures['name']}{f' in {out}' if out else ''}: {figures['parameters'] / 1e6:.2f} M parameters, "
        f"{figures['bytes'] / 1e6:.2f} MB, labels {', '.join(figures['labels'])}. Largest difference between the "
        f"scores of both forms on {_CHECKED_FACES} synthetic faces: {figures['difference']:.1g}."
    )


def run_export(options: ExportOptions) -> None:
    """Export a run or a model and print what was measured.

    Raises:
        DependencyError: the extra `train` is not installed.
        FerError: there is no run and no model of this name, or it cannot be exported to this format.
    """
    run = _run_named(options.name)
    require_training("Exporting a model", any_backend=False, onnx=True)
    figures = _export_model(options) if run is None else _export_run(run, options)
    print(json.dumps(figures) if options.json else _export_sentence(figures))


def _export_model(options: ExportOptions) -> dict[str, Any]:
    from fer_core.training.export import export_model

    source = find_model(options.name)
    if options.format == "onnx-int8" and options.data is None:
        raise ModelError(
            "Integers of 8 bits need the ranges of values that real faces give, and a model brings none. Name a data "
            "set of them with --data."
        )
    faces = _synthetic_faces() if options.data is None else _first_faces(open_run_faces(RunConfig(data=options.data)))
    folder = options.out or Path(f"{source.name}-{options.format}")
    return _figures(export_model(source, options.format, folder, faces))


def _export_run(run: RunFolder, options: ExportOptions) -> dict[str, Any]:
    from fer_core.training.export import checked_faces, export_run

    config = run.config()
    opened = open_run_faces(dataclasses.replace(config, data=options.data or config.data, corrections="", subset=""))
    faces = checked_faces(opened, run)
    folder = options.out or (run.model_folder if options.format == "litert" else run.path / options.format)
    return _figures(export_run(run, options.format, folder, faces, options.trainable))


def _figures(exported: Exported) -> dict[str, Any]:
    return {**dataclasses.asdict(exported), "file": str(exported.file)}


def _export_sentence(figures: dict[str, Any]) -> str:
    parts = [f"Wrote {figures['file']}: {figures['bytes'] / 1e6:.2f} MB"]
    if figures["ms_per_face"] is not None:
        parts.append(f"{figures['ms_per_face']:.2f} ms a face")
    if figures["difference"] is not None:
        parts.append(
            f"largest difference from the scores of {figures['compared_with']} on {figures['faces']} faces "
            f"{figures['difference']:.1g}"
        )
    if figures.get("app_difference") is not None:
        parts.append(f"calibrated, and at most {figures['app_difference']:.1g} from the scores that the app gives")
    return ", ".join(parts) + "."


def _run_named(name: str) -> RunFolder | None:
    """Return the run of a name or path, or None if it names a model; a run comes first, since it has the weights."""
    if (Path(name) / CARD_FILE).is_file() and (Path(name) / MODEL_FILE).is_file():
        return None
    run = find_run(name)
    if run.config_file.exists():
        return run
    if name in available_models():
        return None
    raise ModelError(
        f"No run and no model is named {name!r}. Models: {', '.join(available_models())}; runs: "
        f"{', '.join(run.name for run in list_runs()) or 'none'}. Or give the path of a folder."
    )


def _synthetic_faces() -> np.ndarray:
    return demo_set(_CHECKED_FACES).images


def _first_faces(faces: FaceSet) -> np.ndarray:
    return np.array(faces.images[:_CHECKED_FACES])
