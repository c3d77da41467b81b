"""The commands that rewrite data sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fer_core.cli.arguments import either, one_of


def prepare(
    source: Annotated[Path, typer.Argument(help="fer2013.csv in any form: plain, compressed, an archive, a folder.")],
    out: Annotated[Path, typer.Option(help="Folder to write, new or empty.", show_default=False)],
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing if an image cannot be read. (default: leave it out, say so)")
    ] = False,
) -> None:
    """Write FER-2013 as PNG files: train/angry/im0.png and so on."""
    from fer_core.data.prepare import write_png_tree
    from fer_core.data.sources import read_source
    from fer_core.data.unreadable import describe_unreadable, require_all_readable
    from fer_core.terminal import progress_bar

    with progress_bar("Reading") as progress:
        faces = read_source(source, progress)
    if strict:
        require_all_readable(faces)
    elif description := describe_unreadable(faces):
        print(description, file=sys.stderr)
    with progress_bar("Writing") as progress:
        write_png_tree(faces, out, progress)
    print(f"Wrote {len(faces):,} images to {out}.")


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
    marks = load_corrections(path, faces.hash, len(faces))
    with progress_bar("Writing") as progress:
        card = write_cleaned(Path(data).name, faces, marks, out, form, datetime.now(UTC), progress)
    print(
        f"Wrote {card['faces']['after']:,} of {card['faces']['before']:,} images to {out}: "
        f"{card['excluded']['faces']:,} excluded, {card['relabelled']['faces']:,} relabelled."
    )
