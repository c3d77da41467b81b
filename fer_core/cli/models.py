"""The commands that bring models in and take models out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fer_core.models.importing.description import RESIZE_METHODS, SCALES
from fer_core.models.registry import architectures

Architecture = Literal[architectures()]  # pyright: ignore[reportInvalidTypeForm]
Format = Literal["litert", "onnx", "keras"]
Resize = Literal[RESIZE_METHODS]  # pyright: ignore[reportInvalidTypeForm]

_OTHER_ORIGIN = "A network of other origin, which these describe"


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
    architecture: Annotated[Architecture | None, typer.Option(help="Network that the weights belong to.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was imported as JSON.")] = False,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Its seven labels in the order of its scores, with commas between them.",
            rich_help_panel=_OTHER_ORIGIN,
        ),
    ] = None,
    input_size: Annotated[
        int | None,
        typer.Option(metavar="PX", help="Width and height of the faces it takes.", rich_help_panel=_OTHER_ORIGIN),
    ] = None,
    scale: Annotated[
        str | None, typer.Option(help=f"Range of its input: {', '.join(SCALES)}.", rich_help_panel=_OTHER_ORIGIN)
    ] = None,
    resize: Annotated[
        Resize, typer.Option(help="How faces are resized to that size.", rich_help_panel=_OTHER_ORIGIN)
    ] = RESIZE_METHODS[0],
) -> None:
    """Import a model of other origin, or its weights."""
    from fer_core.training.model_commands import ImportOptions, run_import

    run_import(ImportOptions(file, name, out, architecture, labels, input_size, scale, resize, json))


def export_model(
    name: Annotated[str, typer.Argument(help="Name of a run or a model, or path of its folder.")],
    format: Annotated[Format, typer.Option(help="LiteRT is the app's own.")] = "litert",
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
