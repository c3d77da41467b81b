"""The command that rewrites data sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


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
