"""`python -m fer_core import` and `export`: models of others in, models of this program out."""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_core.data.demo import demo_set
from fer_core.data.face_set import FaceSet
from fer_core.errors import ModelError
from fer_core.models.bundle import CARD_FILE, MODEL_FILE
from fer_core.models.importing.description import RESIZE_METHODS, SCALES, describe
from fer_core.models.model_store import (
    add_model,
    available_models,
    check_name,
    find_model,
    free_name,
)
from fer_core.models.registry import architectures
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.store import find_run, list_runs

FORMATS = ("litert", "onnx", "keras")
_CHECKED_FACES = 256

# Opens the data set of a configuration.
OpenFaces = Callable[[RunConfig], FaceSet]


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `import`."""
    parser.add_argument(
        "file",
        type=Path,
        help="a .keras or .weights.h5 file of a network of this program, the "
        "original script's model.h5, or a whole Keras model",
    )
    parser.add_argument("--name", help="what to call it (default: taken from the file)")
    parser.add_argument("--out", type=Path, help="write the model to this folder instead of adding it to the models")
    parser.add_argument("--architecture", choices=architectures(), help="network that the weights belong to")
    parser.add_argument("--json", action="store_true", help="print what was imported as JSON")
    other = parser.add_argument_group("a network of another origin, which these describe")
    other.add_argument("--labels", help="its seven labels in the order of its scores, with commas between them")
    other.add_argument("--input-size", type=int, metavar="PX", help="width and height of the faces it takes")
    other.add_argument("--scale", help=f"range of its input: {', '.join(SCALES)}")
    other.add_argument(
        "--resize",
        choices=RESIZE_METHODS,
        default=RESIZE_METHODS[0],
        help="how faces come to that size (default: %(default)s)",
    )


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    parser.add_argument("name", help="name of a run or a model, or path of its folder")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="default: %(default)s, the app's own")
    parser.add_argument(
        "--out", type=Path, help="folder to write (default: one in the run's folder; for a model, one here)"
    )
    parser.add_argument(
        "--data", help="data set whose faces both forms must score alike (default: the run's; for a model, drawn faces)"
    )
    parser.add_argument(
        "--trainable",
        action="store_true",
        help="with litert, of a run: also write the weights, 2 bytes each, that training can go on from",
    )
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON")


def run_import(options: argparse.Namespace) -> None:
    """Import a model and say what came of it.

    Raises:
        ModelError: the file, its description or the name cannot be used.
    """
    description = describe(options.labels, options.input_size, options.scale, options.resize)
    name = options.name or free_name(options.file.name)
    check_name(name)
    if options.out is None and name in available_models():
        raise ModelError(f"There is a model named {name!r} already. Choose another --name.")
    if not options.file.is_file():
        raise ModelError(f"{options.file} is not a file. Check its path.")
    from fer_core.models.importing.importer import (
        import_model,  # after what is quickly checked: this loads Keras
    )

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        imported = import_model(options.file, folder, name, _drawn_faces(), options.architecture, description)
        size = (folder / MODEL_FILE).stat().st_size
        if options.out is None:
            add_model(folder, name)
    card = imported.card
    if options.json:
        print(
            json.dumps(
                {
                    "name": name,
                    "architecture": card.architecture,
                    "parameters": card.parameters,
                    "labels": card.labels,
                    "difference": imported.difference,
                    "bytes": size,
                }
            )
        )
        return
    print(
        f"Imported as {name}{f' in {options.out}' if options.out else ''}: {card.parameters / 1e6:.2f} M parameters, "
        f"{size / 1e6:.2f} MB, labels {', '.join(card.labels)}. Largest difference between the scores of both forms "
        f"on {_CHECKED_FACES} drawn faces: {imported.difference:.1g}."
    )


def run_export(options: argparse.Namespace, open_faces: OpenFaces) -> None:
    """Export a run or a model and say what was measured.

    Raises:
        FerError: there is none of this name, or it cannot be exported so.
    """
    run = _run_named(options.name)
    if run is None:
        source = find_model(options.name)
        faces = _drawn_faces() if options.data is None else _first_faces(open_faces(RunConfig(data=options.data)))
        folder = options.out or Path(f"{source.name}-{options.format}")
    else:
        config = run.config()
        opened = open_faces(dataclasses.replace(config, data=options.data or config.data, corrections=""))
        folder = options.out or (run.model_folder if options.format == "litert" else run.path / options.format)
    from fer_core.training.export import checked_faces, export_model, export_run

    if run is None:
        exported = export_model(source, options.format, folder, faces)
    else:
        faces = checked_faces(opened, run)
        exported = export_run(run, options.format, folder, faces, options.trainable)
    figures = {**dataclasses.asdict(exported), "file": str(exported.file), "faces": len(faces)}
    print(json.dumps(figures) if options.json else _words(figures))


def _words(figures: dict) -> str:
    parts = [f"Wrote {figures['file']}: {figures['bytes'] / 1e6:.2f} MB"]
    if figures["ms_per_face"] is not None:
        parts.append(f"{figures['ms_per_face']:.2f} ms a face")
    if figures["difference"] is not None:
        parts.append(
            f"largest difference from the scores of {figures['compared_with']} on {figures['faces']} faces "
            f"{figures['difference']:.1g}"
        )
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
        f"{', '.join(each.name for each in list_runs()) or 'none'}. Or give the path of a folder."
    )


def _drawn_faces() -> np.ndarray:
    return demo_set(_CHECKED_FACES).images


def _first_faces(faces: FaceSet) -> np.ndarray:
    return np.array(faces.images[:_CHECKED_FACES])
