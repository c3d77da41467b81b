"""The commands `analyze` and `classify`: pictures and videos in, a table out."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from fer_core.errors import MediaError
from fer_core.files import write_json
from fer_core.media.analysis import (
    Choices,
    analyze_files,
    copy_path,
    find_media,
)
from fer_core.media.classification import classify_files, find_faces
from fer_core.models.model_store import chosen_model, find_model
from fer_core.recognition.provenance import metadata
from fer_core.recognizer import EmotionRecognizer
from fer_core.terminal import progress_bar


@dataclass(frozen=True)
class AnalyzeOptions:
    """The options of `fer analyze`.

    Attributes:
        files: pictures, videos and folders of them.
        out: CSV to write; the standard output if None.
        annotated: folder for annotated copies; none if None.
        every: seconds from one analysed frame of a video to the next; 0 for all frames.
        smoothing: time constant over which scores are smoothed, seconds; 0 for raw scores.
        model: name or folder of a model; the one in use if None.
        labels_of: label set that faces are scored for; the model's default if None.
    """

    files: Sequence[Path]
    out: Path | None = None
    annotated: Path | None = None
    every: float = 0.0
    smoothing: float = 0.0
    model: str | None = None
    labels_of: str | None = None


def run(options: AnalyzeOptions) -> None:
    """Analyse all files, and go on with the next where one cannot be read.

    Raises:
        FerError: nothing could be started; or, at the end, some file could not be read.
    """
    files = find_media(options.files)
    choices = Choices(options.every, options.smoothing, options.annotated, options.labels_of)
    if choices.annotated:
        _refuse_same_names(files, choices.annotated)
    recognizer = EmotionRecognizer(find_model(options.model or chosen_model()), choices.label_set)
    with _opened(options.out) as out, progress_bar("Analysing") as report:
        outcomes = analyze_files(recognizer, {str(path): path for path in files}, out, choices, report)
    if options.out:
        write_json(
            about_path(options.out),
            metadata(recognizer.card, recognizer.label_set, **choices.metadata(), files=outcomes),
        )
    _finish(outcomes, options.out)


def run_classify(
    files: Sequence[Path], out: Path | None = None, model: str | None = None, labels_of: str | None = None
) -> None:
    """Score cropped faces, and go on with the next file where one cannot be read.

    Args:
        files: pictures that each show one face, .npy files of faces, and folders of them.
        out: CSV to write; the standard output if None.
        model: name or folder of a model; the one in use if None.
        labels_of: label set that faces are scored for; the model's default if None.

    Raises:
        FerError: nothing could be started; or, at the end, some file could not be read.
    """
    paths = find_faces(files)
    recognizer = EmotionRecognizer(find_model(model or chosen_model()), labels_of)
    with _opened(out) as table, progress_bar("Classifying") as report:
        outcomes = classify_files(recognizer, paths, table, report)
    if out:
        write_json(about_path(out), metadata(recognizer.card, recognizer.label_set, files=outcomes))
    _finish(outcomes, out)


def _finish(outcomes: Sequence[Mapping[str, Any]], out: Path | None) -> None:
    """Print which files failed, or where the table is."""
    errors = [outcome["error"] for outcome in outcomes if "error" in outcome]
    for error in errors:
        print(f"Error: {error}", file=sys.stderr)
    if errors:
        raise MediaError(
            f"{len(errors)} of {len(outcomes)} files could not be read, or not to their end; the table holds the rest."
        )
    if out:
        print(f"Wrote the faces of {len(outcomes):,} files to {out}.")


def about_path(table: Path) -> Path:
    """Return where the provenance of a table is written: `table.about.json` beside `table.csv`."""
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
