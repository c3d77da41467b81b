"""The commands `analyze` and `classify`: pictures and videos in, a table out."""

from __future__ import annotations

import errno
import io
import math
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from fer_core.errors import MediaError
from fer_core.face_size import FACE_SIZE
from fer_core.files import write_json, write_text
from fer_core.media.analysis import Choices, analyze_files, copy_path
from fer_core.media.classification import classify_files, find_faces
from fer_core.media.portraits import Moment, MomentGallery
from fer_core.media.processes import Processes, analyze_in_processes
from fer_core.media.sources import STDIN, find_media, is_remote, open_media
from fer_core.media.table_formats import is_csv, require_format, write_table
from fer_core.models.model_store import chosen_model
from fer_core.recognition.provenance import metadata
from fer_core.recognition.table import JsonLinesTable, Table, read_table
from fer_core.recognizer import EmotionRecognizer
from fer_core.terminal import Update, interruptible, progress_bar, without_native_messages

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class AnalyzeOptions:
    """The options of `fer analyze`.

    Attributes:
        files: pictures, videos, .zip archives and folders of them, patterns, `-` for the standard input, and, for an
            archive, URLs.
        out: table to write, in the format its name ends in; the standard output as CSV if None or `-`.
        annotated: folder for annotated copies; none if None.
        every: seconds from one analysed frame of a video to the next; 0 for all frames.
        smoothing: time constant over which scores are smoothed, seconds; 0 for raw scores.
        model: name or folder of a model; the one in use if None.
        labels_of: label set that faces are scored for; the model's default if None.
        blur_faces: whether faces are blurred in the copies.
        start: time at which the analysis of videos begins, seconds.
        end: time at which it stops, seconds; their own end if None.
        recursive: whether folders in folders are looked into too.
        json: whether the standard output gets JSON Lines instead of CSV.
        jobs: how many processes analyse the files.
        report: page to write about the whole of it; none if None.
        report_pictures: whether pictures of people's strongest moments are in it.
    """

    files: Sequence[Path | str]
    out: Path | None = None
    annotated: Path | None = None
    every: float = 0.0
    smoothing: float = 0.0
    model: str | None = None
    labels_of: str | None = None
    blur_faces: bool = False
    start: float = 0.0
    end: float | None = None
    recursive: bool = False
    json: bool = False
    jobs: int = 1
    report: Path | None = None
    report_pictures: bool = False

    def choices(self) -> Choices:
        """Return how media are analysed.

        Raises:
            MediaError: options contradict each other.
        """
        if self.blur_faces and not self.annotated:
            raise MediaError("Faces are blurred in copies: name a folder for them with --annotated.")
        if self.json and self.out not in (None, STDIN):
            raise MediaError(
                "--json writes to the standard output: leave --out away, or name a .jsonl file without --json."
            )
        if self.report and self.json:
            raise MediaError("--report is made from a table: leave --json away, or name a table with --out.")
        if self.report_pictures and (not self.report or self.jobs > 1):
            raise MediaError("--report-pictures needs --report, and a single process: leave --jobs away.")
        end_s = math.inf if self.end is None else self.end
        return Choices(self.every, self.smoothing, self.annotated, self.labels_of, self.blur_faces, self.start, end_s)


def run(options: AnalyzeOptions) -> None:
    """Analyse all files, and go on with the next where one cannot be read.

    Raises:
        FerError: nothing could be started; or, at the end, some file could not be read.
    """
    choices = options.choices()
    if remote := [file for file in options.files if is_remote(file)]:
        raise MediaError(f"{remote[0]} lies elsewhere: name a folder with / at its end as --out, which fetches files.")
    paths = find_media([Path(file) for file in options.files], options.recursive)
    out = None if options.out == STDIN else options.out
    with open_media(paths, sys.stdin.buffer) as (files, outcomes):
        if choices.annotated:
            _refuse_same_names(list(files.values()), choices.annotated)
        recognizer = load_recognizer(options.model, choices.label_set)
        table_type = JsonLinesTable if options.json else Table
        moments = MomentGallery(recognizer.uncertain_below)
        with _opened(out, "Analysing") as (table, report):
            rows = _Copied(table) if options.report else table
            if options.jobs == 1:
                watch = moments.add if options.report_pictures else lambda *_: None
                outcomes += analyze_files(recognizer, files, rows, choices, report, watch, table_type)
            else:
                processes = Processes(options.jobs, options.model or chosen_model())
                outcomes += analyze_in_processes(processes, recognizer, files, rows, choices, report, table_type)
    about = metadata(recognizer.card, recognizer.label_set, **choices.metadata(), files=outcomes)
    if options.report and isinstance(rows, _Copied):
        _write_report(options.report, rows.content(), about, moments.by_time())
    _finish(outcomes, out, about)


class _Copied(io.TextIOBase):
    """A text file that keeps a copy of what is written to it, in a temporary file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._copy = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115

    def write(self, text: str, /) -> int:
        self._copy.write(text)
        return self._file.write(text)

    def flush(self) -> None:
        self._file.flush()

    def content(self) -> bytes:
        """Return all that was written, and drop the copy."""
        with self._copy as copy:
            copy.seek(0)
            return copy.read().encode("utf-8")


def _write_report(path: Path, csv: bytes, about: Mapping[str, Any], moments: Mapping[str, Sequence[Moment]]) -> None:
    from fer_core.media.report import html_report  # plotly takes a while to load

    try:
        write_text(path, html_report(read_table(csv), about, moments))
    except OSError as error:
        raise MediaError(f"{path} cannot be written: {error.strerror}. Choose another place.") from error


def run_classify(
    files: Sequence[Path], out: Path | None = None, model: str | None = None, labels_of: str | None = None
) -> None:
    """Score cropped faces, and go on with the next file where one cannot be read.

    Args:
        files: pictures that each show one face, .npy files of faces, and folders of them.
        out: table to write; the standard output as CSV if None.
        model: name or folder of a model; the one in use if None.
        labels_of: label set that faces are scored for; the model's default if None.

    Raises:
        FerError: nothing could be started; or, at the end, some file could not be read.
    """
    paths = find_faces(files)
    recognizer = load_recognizer(model, labels_of)
    with _opened(out, "Classifying") as (table, report):
        outcomes = classify_files(recognizer, paths, table, report)
    _finish(outcomes, out, metadata(recognizer.card, recognizer.label_set, files=outcomes))


def load_recognizer(model: str | None, label_set: str | None) -> EmotionRecognizer:
    """Load a model, the one in use if None, with all that its first face needs.

    Raises:
        ModelError: there is no such model, its files are damaged, or it does not answer for this label set.
    """
    with without_native_messages():
        recognizer = EmotionRecognizer(model or chosen_model(), label_set)
        recognizer.classify(np.zeros((1, FACE_SIZE, FACE_SIZE), np.uint8))  # so that all is loaded
    return recognizer


def _finish(outcomes: Sequence[Mapping[str, Any]], out: Path | None, provenance: Mapping[str, Any]) -> None:
    """Write how a table was made, and print which files failed, or where the table is."""
    if out:
        write_json(about_path(out), provenance)
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
    """Return where the provenance of a table is written: `table.csv.about.json` beside `table.csv`."""
    return table.with_name(f"{table.name}.about.json")


def _refuse_same_names(files: Sequence[Path], folder: Path) -> None:
    copies = Counter(copy_path(path, folder) for path in files)
    if twice := [path.name for path, count in copies.items() if count > 1]:
        raise MediaError(
            f"Several files would be copied to {twice[0]}: files of one name, from different folders. "
            "Analyse the folders one by one."
        )


@contextmanager
def _opened(out: Path | None, doing: str) -> Iterator[tuple[TextIO, Update]]:
    """Open a table for rows of CSV, and show how far it is; the end of the block brings it into the format of its name.

    Ctrl-C and a request to terminate end the block at its next report, so that nothing half-written is left behind.
    """
    try:
        with (
            progress_bar(doing) as bar,
            interruptible(bar) as report,
            _standard_output() if out is None else _table_file(out) as file,
        ):
            yield file, report
    except KeyboardInterrupt:
        kept = f" The rows until then are in {_csv_of(out)}." if out else ""
        print(f"Interrupted.{kept}", file=sys.stderr)
        raise SystemExit(130) from None


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has had enough; nothing may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def _csv_of(out: Path) -> Path:
    """Return the file that rows are written to as they are found."""
    return out if is_csv(out) else out.with_name(f"{out.name}.rows.csv")


@contextmanager
def _table_file(out: Path) -> Iterator[TextIO]:
    require_format(out)
    rows = _csv_of(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.exists():
            raise FileExistsError
        file = rows.open("x", encoding="utf-8", newline="")
    except FileExistsError as error:
        raise MediaError(f"{out} is there already, and a table is never replaced. Choose another name.") from error
    except OSError as error:
        raise MediaError(f"{out} cannot be written: {error.strerror}. Choose another place.") from error
    try:
        with file:
            yield file
        if rows != out:
            write_table(rows.read_bytes(), out)
            rows.unlink()
    except OSError as error:
        remedy = "Free some space" if error.errno in DISK_FULL else f"Check that {error.filename or out} may be written"
        raise MediaError(
            f"Results cannot be written any more: {error.strerror}. What was found so far is in {rows}. "
            f"{remedy}, and analyse the rest again."
        ) from error
