"""The command `analyze`: pictures and videos in, a table out."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from fer_core import __version__
from fer_core.errors import MediaError
from fer_core.files import write_json
from fer_core.media.analysis import Choices, Report, Table, analyze_file, copy_path, find_media
from fer_core.models.bundle import MODEL_FILE
from fer_core.models.card import ModelCard
from fer_core.models.shelf import chosen_model, find_model
from fer_core.recognizer import EmotionRecognizer


def run(options: argparse.Namespace) -> None:
    """Analyse all files; one that cannot be read does not keep the others from it.

    Raises:
        FerError: nothing could be begun; or, at the end, some file could not be read.
    """
    files = find_media(options.files)
    choices = Choices(options.every, options.smoothing, options.annotated)
    if choices.annotated:
        _refuse_same_names(files, choices.annotated)
    recognizer = EmotionRecognizer(find_model(options.model or chosen_model()))
    told, failed = [], {}
    with _opened(options.out) as out, _progress(options.out) as report:
        table = Table(out, recognizer.labels, recognizer.card.uncertain_below)
        for path in files:
            try:
                told.append({"file": str(path), "frames": analyze_file(recognizer, path, table, choices, report)})
            except MediaError as error:
                failed[path] = error
                told.append({"file": str(path), "error": str(error)})
    if options.out:
        write_json(about_path(options.out), about(recognizer.card, choices, told))
    for error in failed.values():
        print(f"Error: {error}", file=sys.stderr)
    if failed:
        raise MediaError(f"{len(failed)} of {len(files)} files could not be read, or not to their end; the table holds "
                         "the rest.")
    if options.out:
        print(f"Wrote what was found in {len(files):,} files to {options.out}.")


def about_path(table: Path) -> Path:
    """Return where it is told how a table came about: `table.about.json` beside `table.csv`."""
    return table.with_name(f"{table.stem}.about.json")


def about(card: ModelCard, choices: Choices, files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what another person needs to make a table again: model, settings, files; plain JSON values."""
    return {
        "program": f"fer_core {__version__}", "made_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": {"name": card.name, "sha256": card.files.get(MODEL_FILE), "label_set": card.label_set,
                  "temperature": card.temperature.scale, "entropy_power": card.temperature.entropy_power,
                  "uncertain_below": card.uncertain_below},
        "every_s": choices.every_s, "smoothing_s": choices.smoothing_s, "files": list(files),
        "note": "Expressions as a network sees them, not what people feel.",
    }


def _refuse_same_names(files: Sequence[Path], folder: Path) -> None:
    copies = Counter(copy_path(path, folder) for path in files)
    if twice := [path.name for path, count in copies.items() if count > 1]:
        raise MediaError(f"Several files would be copied to {twice[0]}: files of one name, from different folders. "
                         "Analyse the folders one by one.")


@contextmanager
def _opened(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        file = out.open("x", encoding="utf-8", newline="")
    except FileExistsError as error:
        raise MediaError(f"{out} is there already, and a table is never replaced. Choose another name.") from error
    except OSError as error:
        raise MediaError(f"{out} cannot be written: {error.strerror}. Choose another place.") from error
    with file:
        yield file


@contextmanager
def _progress(out: Path | None) -> Iterator[Report]:
    """Show a bar on the standard error, which keeps it out of a table on the standard output."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[Path, Any] = {}

        def report(path: Path, done_s: float, length_s: float | None) -> None:
            if path not in tasks:
                tasks[path] = bar.add_task(path.name, total=length_s)
            bar.update(tasks[path], completed=done_s)

        yield report
