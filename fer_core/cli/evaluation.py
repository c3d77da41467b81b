"""The commands that measure and explain models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_core.evaluation.arguments import TOLERANCE_POINTS, EvaluateOptions

_SEVERAL = "Several may follow each other."


def evaluate(
    data: Annotated[str, typer.Option(help="Name of a data set, or path of fer2013.csv in any form.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL…",
            help=f"Names or folders of models. {_SEVERAL} (default: the one in use)",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPLIT…", help=f"Splits to measure on. {_SEVERAL} (default: all but Training)", show_default=False
        ),
    ] = None,
    subset: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Measure only the faces of a subset saved on the Data set page. (default: all of each split)",
            show_default=False,
        ),
    ] = "",
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Also measure with darker, blurred, shifted … faces; 34 more passes over one split.",
        ),
    ] = False,
    end_to_end: Annotated[
        bool,
        typer.Option(
            "--end-to-end", help="Also paste each face into a scene, find it there and classify it; about 0.1 s a face."
        ),
    ] = False,
    card: Annotated[
        bool,
        typer.Option(
            "--card",
            help=f"Compare with the model's card; exit code 1 if a figure differs by more than {TOLERANCE_POINTS} "
            "points.",
        ),
    ] = False,
    write_card: Annotated[bool, typer.Option("--write-card", help="Write the figures into the model's card.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")] = False,
    progress: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep writing the progress to FILE as JSON.")
    ] = None,
) -> None:
    """Measure models on the test splits of a data set."""
    from fer_core.evaluation.command import run

    run(
        EvaluateOptions(
            data,
            tuple(model or ()),
            tuple(split or ()),
            subset,
            robustness,
            end_to_end,
            card,
            write_card,
            json,
            progress,
        )
    )


def explain(
    faces: Annotated[Path, typer.Option(help=".npy with gray faces, uint8 (n, 48, 48).", show_default=False)],
    out: Annotated[Path, typer.Option(help=".npz to write: labels, scores, gradcam, occlusion.", show_default=False)],
    model: Annotated[
        str | None, typer.Option(help="Name or folder of a model. (default: the one in use)", show_default=False)
    ] = None,
) -> None:
    """Write where a model looks: Grad-CAM and occlusion maps."""
    from fer_core.explain.command import explain_file
    from fer_core.models.model_store import chosen_model, find_model

    count = explain_file(find_model(model or chosen_model()), faces, out)
    print(f"Wrote the maps of {count:,} faces to {out}.")
