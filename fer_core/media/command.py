"""The command `analyze`: pictures and videos in, a table out."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from fer_core.errors import MediaError
from fer_core.files import write_json
from fer_core.media.analysis import (
    Choices,
    Report,
    analyze_files,
    copy_path,
    find_media,
)
from fer_core.models.model_store import chosen_model, find_model
from fer_core.recognition.provenance import metadata
from fer_core.recognizer import EmotionRecognizer


def run(options: argparse.Namespace) -> None:
    """Analyse all files; one that cannot be read does not keep the others from it.

    Raises:
        FerError: nothing could be begun; or, at the end, some file could not be read.
    """
    files = find_media(options.files)
    choices = Choices(options.every, options.smoothing, options.annotated, options.labels_of)
    if choices.annotated:
        _refuse_same_names(files, choices.annotated)
    recognizer = EmotionRecognizer(find_model(options.model or chosen_model()), choices.label_set)
    with _opened(options.out) as out, _progress() as report:
        told = analyze_files(recognizer, {str(path): path for path in files}, out, choices, report)
    if options.out:
        write_json(
            about_path(options.out), metadata(recognizer.card, recognizer.label_set, **choices.told(), files=told)
        )
    failed = [file["error"] for file in told if "error" in file]
    for error in failed:
        print(f"Error: {error}", file=sys.stderr)
    if failed:
        raise MediaError(
            f"{len(failed)} of {len(files)} files could not be read, or not to their end; the table holds the rest."
        )
    if options.out:
        print(f"Wrote what was found in {len(files):,} files to {options.out}.")


def about_path(table: Path) -> Path:
    """Return where it is told how a table came about: `table.about.json` beside `table.csv`."""
    return table.with_name(f"{table.stem}.about.json")


def _refuse_same_names(files: Sequence[Path], folder: Path) -> None:
    copies = Counter(copy_path(path, folder) for path in files)
    if twice := [path.name for path, count in copies.items() if count > 1]:
        raise MediaError(
            f"Several files would be copied to {twice[0]}: files of one name, from different folders. "
            "Analyse the folders one by one."
        )


@contextmanager
def _opened(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        try:
            yield sys.stdout
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has had enough; nothing may be written at exit either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        file = out.open("x", encoding="utf-8", newline="")
    except FileExistsError as error:
        raise MediaError(f"{out} is there already, and a table is never replaced. Choose another name.") from error
    except OSError as error:
        raise MediaError(f"{out} cannot be written: {error.strerror}. Choose another place.") from error
    try:
        with file:
            yield file
    except OSError as error:
        raise MediaError(
            f"Results cannot be written any more: {error.strerror}. What was found so far is in {out}. "
            "Make room, and analyse the rest anew."
        ) from error


@contextmanager
def _progress() -> Iterator[Report]:
    """Show a bar on the standard error, which keeps it out of a table on the standard output."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Analysing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
