"""The commands that rewrite data sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fer_core.cli.arguments import either, one_of
from fer_core.data.class_folders import CLASS_CHOICES


def prepare(
    source: Annotated[
        Path,
        typer.Argument(
            help="fer2013.csv in any form, or images in folders named after their class: plain, compressed, an archive."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write, new or empty.", show_default=False)],
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing if an image cannot be read. (default: leave it out, say so)")
    ] = False,
    classes: Annotated[
        str,
        typer.Option(
            parser=one_of(CLASS_CHOICES),
            metavar=either(CLASS_CHOICES),
            help="Folders that name no emotion: own makes every folder a class, skip-unknown leaves them out, auto "
            "takes them as classes if at most half of the folders name emotions.",
        ),
    ] = "auto",
    hold_out: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=0.4,
            metavar="SHARE",
            help="Hold out this share of each class for Validation, and for Test, where the source has none; copies "
            "stay together. (default: none)",
            show_default=False,
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of what is held out.")] = 0,
) -> None:
    """Write a data set as PNG files: train/angry/im0.png and so on."""
    from fer_core.audit.hold_out import with_missing_splits
    from fer_core.data.prepare import write_png_tree
    from fer_core.data.sources import read_source
    from fer_core.data.unreadable import describe_unreadable, require_all_readable
    from fer_core.terminal import progress_bar

    with progress_bar("Reading") as progress:
        faces = read_source(source, progress, classes)
    if strict:
        require_all_readable(faces)
    elif description := describe_unreadable(faces):
        print(description, file=sys.stderr)
    if hold_out:
        faces = with_missing_splits(faces, hold_out, seed)
    with progress_bar("Writing") as progress:
        write_png_tree(faces, out, progress)
    print(f"Wrote {len(faces):,} images to {out}.")
    if not faces.has_emotions or hold_out:
        counts = ", ".join(f"{len(faces.rows_of(split)):,} {split}" for split in faces.splits)
        print(f"Classes: {', '.join(faces.class_names)}. Images: {counts}.")


def clean(
    data: Annotated[str, typer.Argument(help="Name of a data set, or path of fer2013.csv in any form.")],
    out: Annotated[Path, typer.Option(help="Folder to write, new or empty.", show_default=False)],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            parser=one_of(("csv", "folders")),
            metavar=either(("csv", "folders")),
            help="csv: a table as fer2013.csv, with the votes beside it; folders: PNG files by split and class.",
        ),
    ] = "csv",
    corrections: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="List of corrections, as exported on the Data set page. (default: the data set's own)",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a data set with its corrections applied, and a data card that says what was changed."""
    from datetime import UTC, datetime

    from fer_core.audit.cleaned import write_cleaned
    from fer_core.audit.corrections import load_corrections
    from fer_core.audit.corrections_file import corrections_path
    from fer_core.data.resolve import open_faces
    from fer_core.errors import DataError
    from fer_core.terminal import progress_bar

    path = corrections or corrections_path(data)
    if not path.is_file():
        raise DataError(f"There is no list of corrections at {path}. Correct faces on the Data set page first.")
    with progress_bar("Reading") as progress:
        faces = open_faces(data, progress)
    marks = load_corrections(path, faces.hash, len(faces), faces.class_names)
    with progress_bar("Writing") as progress:
        card = write_cleaned(Path(data).name, faces, marks, out, form, datetime.now(UTC), progress)
    print(
        f"Wrote {card['faces']['after']:,} of {card['faces']['before']:,} images to {out}: "
        f"{card['excluded']['faces']:,} excluded, {card['relabelled']['faces']:,} relabelled."
    )
