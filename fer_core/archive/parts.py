"""One file becomes its part of the table, wherever the process that does it runs."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from fer_core.archive.remote import at_hand, signature_at
from fer_core.archive.source import DONE, FAILED, Entry, Signature, part_name
from fer_core.errors import ArchiveError, MediaError
from fer_core.media.analysis import Choices, analyze_files
from fer_core.media.command import DISK_FULL, load_recognizer
from fer_core.media.sources import open_media
from fer_core.media.table_formats import write_table
from fer_core.recognition.provenance import PROGRAM, model_metadata
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import FrameResult

PARTS, SEGMENTS = "parts", "segments"


@dataclass(frozen=True)
class Work:
    """How the files of an archive are analysed; the same for all of them and for every process.

    Attributes:
        folder: of the archive, an absolute path.
        model: name or folder of the model.
        expected: the model as the archive's metadata name it; a process that finds another one refuses the work.
        program: name and version of the program; as with the model.
        choices: how media are analysed.
    """

    folder: Path
    model: str
    expected: Mapping[str, Any]
    program: str
    choices: Choices

    def part(self, file: str) -> Path:
        """Return where the part of a file lies."""
        return self.folder / PARTS / part_name(file)

    def segments(self, file: str) -> Path:
        """Return the folder for what is there of a long video's segments."""
        return self.folder / SEGMENTS / Path(part_name(file)).stem


def analyze_source(
    work: Work, file: str, place: Path | str, report: Callable[[float, float], None] = lambda *_: None
) -> Entry:
    """Write the part of one file, atomically, and return its entry for the manifest, without the number of attempts.

    Args:
        work: how it is analysed.
        file: what the file is called in the table.
        place: where it lies, an absolute path or a URL; a .zip archive's pictures and videos all go to one part.
        report: called with how many bytes of it are done, and how many there are.

    Raises:
        ArchiveError: this process has another model or version than the archive, or the part cannot be written.
    """
    if not _is_utf8(file):
        return Entry(file, FAILED, reason=f"The name {file!a} is not UTF-8, so no table can hold it. Rename the file.")
    recognizer = recognizer_for(work)

    def write(table: TextIO, rows: list[int]) -> Sequence[Mapping[str, Any]]:
        try:
            with at_hand(place) as path:
                return _analyze(recognizer, file, path, table, work.choices, report, rows)
        except MediaError as error:  # it could not be fetched
            return [{"file": file, "frames": 0, "error": str(error)}]

    return write_part(work, file, place, signature_at(place), write)


def write_part(
    work: Work,
    file: str,
    place: Path | str,
    before: Signature | None,
    write: Callable[[TextIO, list[int]], Sequence[Mapping[str, Any]]],
) -> Entry:
    """Write the part of one file, atomically, and return its entry for the manifest, without the number of attempts.

    Args:
        work: how it is analysed.
        file: what the file is called in the table.
        place: where it lies, an absolute path or a URL.
        before: the file's signature when its analysis began.
        write: gets a file for the table and a list for how many rows each frame has, and returns the outcomes, as
            `analyze_files` does.

    Raises:
        ArchiveError: the part cannot be written.
    """
    part, rows = work.part(file), list[int]()
    try:
        # On the disk: a long video has more rows than should be in memory.
        with tempfile.TemporaryFile() as disk, io.TextIOWrapper(disk, encoding="utf-8", newline="") as table:
            outcomes = write(table, rows)
            table.flush()
            disk.seek(0)
            write_table(disk, part) if rows else part.unlink(missing_ok=True)
    except OSError as error:
        raise ArchiveError(
            f"{part} cannot be written: {error.strerror or error}. Mend that, and start again: what is done stays done."
        ) from error
    reason = _reason(outcomes)
    if not reason and signature_at(place) != before:
        reason = f"{Path(file).name} changed while it was analysed. Start again when it is complete."
    frames = sum(outcome["frames"] for outcome in outcomes)
    return Entry(
        file,
        FAILED if reason else DONE,
        before,
        part.name if rows else None,
        frames,
        sum(rows),
        reason,
        program=PROGRAM,
        segments_done=0 if reason else 1,
    )


def _is_utf8(name: str) -> bool:
    return name.encode(errors="surrogateescape") == name.encode(errors="replace")


def _analyze(
    recognizer: EmotionRecognizer,
    file: str,
    path: Path,
    table: TextIO,
    choices: Choices,
    report: Callable[[float, float], None],
    rows: list[int],
) -> Sequence[Mapping[str, Any]]:
    """Write the rows of a file, note how many each frame has, and return what came of each picture and video in it."""

    def count(name: str, image_bgr: np.ndarray, result: FrameResult) -> None:
        rows.append(max(1, len(result)))

    try:
        with open_media([path], io.BytesIO()) as (media, outcomes):
            named = {file + name.removeprefix(str(path)): place for name, place in media.items()}
            return outcomes + analyze_files(recognizer, named, table, choices, report, count)
    except OSError as error:
        if error.errno in DISK_FULL:  # where archives are unpacked; the other files would fail too
            raise
        return [{"file": file, "frames": len(rows), "error": f"{path.name} cannot be read: {error.strerror or error}."}]


def _reason(outcomes: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why a file could not be read, or not to its end; None if it could."""
    errors = [outcome["error"] for outcome in outcomes if "error" in outcome]
    if len(outcomes) < 2 or not errors:
        return errors[0] if errors else None
    return f"{len(errors)} of the {len(outcomes)} files in it could not be read, the first: {errors[0]}"


def recognizer_for(work: Work) -> EmotionRecognizer:
    """Return the model that an archive is made with.

    Raises:
        ArchiveError: the one of this name, or this program's version, is another here.
    """
    recognizer = recognizer_of(work.model, work.choices.label_set)
    own = model_metadata(recognizer.card, recognizer.label_set)
    if own != work.expected or work.program != PROGRAM:
        raise ArchiveError(
            f"A worker has {PROGRAM} with the model {_named(own)}; the archive needs {work.program} with "
            f"{_named(work.expected)}. Install the same on all machines."
        )
    return recognizer


def _named(model: Mapping[str, Any]) -> str:
    return f"{model['name']} ({str(model['sha256'])[:12]})"


@lru_cache(maxsize=1)
def recognizer_of(model: str, label_set: str | None) -> EmotionRecognizer:
    """Load a model, once in each process; otherwise as `load_recognizer`."""
    return load_recognizer(model, label_set)
