"""The commands that bring models in and take models out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fer_core.cli.arguments import either, one_of
from fer_core.models.importing.description import RESIZE_METHODS, SCALES
from fer_core.models.registry import architectures

Format = Literal["litert", "onnx", "onnx-int8", "keras"]


def import_model(
    file: Annotated[
        Path,
        typer.Argument(
            help="A .keras or .weights.h5 file of a network of this program, the original script's model.h5, or a "
            "whole Keras model."
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call it. (default: taken from the file)", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the model to this folder instead of adding it to the models.")
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            parser=one_of(architectures()),
            metavar=either(architectures()),
            help="Network that the weights belong to.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was imported as JSON.")] = False,
    labels: Annotated[
        str | None,
        typer.Option(
            help="For a network of other origin: its seven labels in the order of its scores, separated by commas.",
        ),
    ] = None,
    input_size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            help="Of such a network: width and height of the faces it takes.",
        ),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            help=f"Of such a network: range of its input, {', '.join(SCALES)}.",
        ),
    ] = None,
    resize: Annotated[
        str,
        typer.Option(
            parser=one_of(RESIZE_METHODS),
            metavar=either(RESIZE_METHODS),
            help="Of such a network: how faces are resized to that size.",
        ),
    ] = RESIZE_METHODS[0],
) -> None:
    """Import a model of other origin, or its weights."""
    from fer_core.dependencies import require_training

    require_training("Importing a model", any_backend=False)
    from fer_core.training.model_commands import ImportOptions, run_import

    run_import(ImportOptions(file, name, out, architecture, labels, input_size, scale, resize, json))


def export_model(
    name: Annotated[str, typer.Argument(help="Name of a run or a model, or path of its folder.")],
    format: Annotated[
        Format, typer.Option(help="LiteRT is the app's own; onnx-int8 computes with integers of 8 bits.")
    ] = "litert",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write. (default: one in the run's folder; for a model, one here)", show_default=False
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Data set whose faces both forms must score alike. (default: the run's; for a model, synthetic faces)",
            show_default=False,
        ),
    ] = None,
    trainable: Annotated[
        bool,
        typer.Option(
            "--trainable",
            help="With litert, of a run: also write the weights, 2 bytes each, that training can go on from.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what was measured as JSON.")] = False,
) -> None:
    """Write a run or a model as LiteRT, ONNX or Keras."""
    from fer_core.training.model_commands import ExportOptions, run_export

    run_export(ExportOptions(name, format, out, data, trainable, json))


def convert(
    weights: Annotated[Path, typer.Argument(help="model.h5")],
    out: Annotated[Path, typer.Option(help="Folder of the model.", show_default=False)],
) -> None:
    """Turn the original script's weights (model.h5) into a model."""
    from fer_core.training.model_commands import ImportOptions, run_import

    run_import(ImportOptions(weights, out=out))


def ensemble(
    members: Annotated[
        list[str], typer.Argument(help="Names of models with Keras weights, or folders of them or of finished runs.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the model to write.", show_default=False)],
    name: Annotated[str, typer.Option(help="Of the model.")] = "ensemble",
    recipe: Annotated[
        Path | None,
        typer.Option(
            help=".json that says, by label set, which scores of which member are averaged. (default: all, equally)",
            show_default=False,
        ),
    ] = None,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Also average over each face's mirror image, at twice the cost.")
    ] = False,
    faces: Annotated[
        Path | None,
        typer.Option(
            help=".npy of gray faces, uint8 (n, 48, 48), that all forms must score alike. (default: drawn ones)",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make one model out of several: the weighted mean of their scores."""
    from fer_core.dependencies import require_training

    require_training("Making an ensemble")
    from fer_core.data.demo import demo_set
    from fer_core.data.face_arrays import read_faces
    from fer_core.models.bundle import CARD_FILE
    from fer_core.models.card import ModelCard
    from fer_core.models.ensemble import read_recipe, save_ensemble
    from fer_core.models.model_store import find_model
    from fer_core.trained_on import carry_fingerprint

    checked = read_faces(faces) if faces else demo_set(70).images
    terms = read_recipe(recipe) if recipe else None
    folders = [find_model(member) for member in members]
    saved = save_ensemble(folders, out, checked, name, terms, mirror)
    carry_fingerprint([ModelCard.load(folder / CARD_FILE) for folder in folders], out)
    print(
        f"Wrote {out}: {saved.card.parameters / 1e6:.2f} M parameters, {saved.bytes / 1e6:.2f} MB, "
        f"{saved.ms_per_face:.2f} ms a face, label sets {', '.join(saved.card.label_sets)}; largest difference from "
        f"the mean of its members on {len(checked)} faces {saved.difference:.1g}."
    )
