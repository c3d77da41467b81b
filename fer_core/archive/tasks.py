"""The steps in which a file of an archive is analysed: at once, or, for a long video, segment by segment.

Any process can take any step; the command that started it all keeps the account (`archive/progress.py`).
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from fer_core.archive.parts import Work, analyze_source, recognizer_for, write_part
from fer_core.archive.remote import signature_at
from fer_core.archive.source import Entry, Signature
from fer_core.errors import ArchiveError, MediaError
from fer_core.imaging.video import SeekError
from fer_core.media.segment_file import SUFFIX, load_segment, save_segment
from fer_core.media.sources import ARCHIVE, is_picture, is_remote
from fer_core.media.splitting import SegmentResult, Split, analyze_segment, find_split, join_segments
from fer_core.recognition.provenance import PROGRAM
from fer_core.recognition.table import Table


@dataclass(frozen=True, slots=True)
class Task:
    """One step.

    Attributes:
        file: what the file is called in the table.
        place: where it lies, an absolute path or a URL.
        split: its segments, once they are known.
        part: which of `split.parts` to analyse; None to join them.
        signature: of the file when its segments were found.
        whole_because: why it is to be analysed at once, though it is long.
    """

    file: str
    place: Path | str
    split: Split | None = None
    part: int | None = None
    signature: Signature | None = None
    whole_because: str | None = None


@dataclass(frozen=True, slots=True)
class SplitFound:
    """A file is a long video.

    Attributes:
        split: its segments.
        signature: of the file.
        missing: which of `split.parts` are not there from an earlier start.
    """

    split: Split
    signature: Signature | None
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SegmentDone:
    """A segment of a long video is written."""


@dataclass(frozen=True, slots=True)
class NotSplit:
    """A long video cannot be entered in its midst.

    Attributes:
        reason: why, in words.
    """

    reason: str


Outcome = Entry | SplitFound | SegmentDone | NotSplit


def run_task(work: Work, task: Task, report: Callable[[float, float], None] = lambda *_: None) -> Outcome:
    """Take one step.

    Args:
        work: how the archive's files are analysed.
        task: the step.
        report: called with how much of it is done, and how much there is.

    Raises:
        ArchiveError: this process has another model or version than the archive, or cannot write to it.
    """
    try:
        if task.split is None:
            return _begin(work, task, report)
        if task.part is None:
            return _join(work, task, task.split)
        recognizer = recognizer_for(work)
        result = analyze_segment(
            recognizer, Path(task.place), task.split, task.split.parts[task.part], lambda share: report(share, 1.0)
        )
    except SeekError as error:
        return NotSplit(str(error))
    path = _segment_path(work, task.file, task.split, task.part)
    try:
        save_segment(result, path, _key(task.split, task.signature))
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be written: {error.strerror or error}. Mend that, and start again: what is done stays done."
        ) from error
    return SegmentDone()


def _begin(work: Work, task: Task, report: Callable[[float, float], None]) -> Outcome:
    """Analyse a file, or find the segments of a long video."""
    reason = task.whole_because
    if reason is None and _may_be_split(task.place):
        signature = signature_at(task.place)
        try:
            split = find_split(Path(task.place), work.choices)
        except SeekError as error:
            split, reason = None, str(error)
        if split is not None:
            key, parts = _key(split, signature), range(len(split.parts))
            missing = [i for i in parts if load_segment(_segment_path(work, task.file, split, i), key) is None]
            return SplitFound(split, signature, tuple(missing))
    return dataclasses.replace(analyze_source(work, task.file, task.place, report), whole_because=reason)


def _may_be_split(place: Path | str) -> bool:
    """Return whether a file may be a video whose segments are worth while: one elsewhere is fetched by each process."""
    return not is_remote(place) and not is_picture(Path(place)) and Path(place).suffix.lower() != ARCHIVE


def _join(work: Work, task: Task, split: Split) -> Entry:
    """Write the part of a long video of whose segments all are there.

    Raises:
        SeekError: they do not fit together.
    """

    def write(table_file: TextIO, rows: list[int]) -> Sequence[Mapping[str, Any]]:
        recognizer = recognizer_for(work)
        table = Table(table_file, recognizer.labels, recognizer.uncertain_below)
        outcome: dict[str, Any] = {"file": task.file}
        try:
            for result in join_segments(_segments(work, task, split), split):
                rows.append(table.add(task.file, result, result.time_s))
        except SeekError:
            raise
        except MediaError as error:
            outcome["error"] = str(error)
        return [{**outcome, "frames": len(rows)}]

    entry = write_part(work, task.file, task.place, task.signature, write)
    remove_segments(work, task.file)
    count = len(split.parts)
    return dataclasses.replace(entry, segments=count, segments_done=count)


def _segments(work: Work, task: Task, split: Split) -> Iterator[SegmentResult]:
    key = _key(split, task.signature)
    for i, part in enumerate(split.parts):
        result = load_segment(_segment_path(work, task.file, split, i), key)
        if result is None:
            raise MediaError(f"Segment {part.number} of {Path(task.file).name} is gone or damaged. Start again.")
        yield result


def _segment_path(work: Work, file: str, split: Split, part: int) -> Path:
    return work.segments(file) / f"{split.parts[part].number:06}{SUFFIX}"


def _key(split: Split, signature: Signature | None) -> str:
    """Return what a segment must have been made of and with to be one of these."""
    size_and_time = None if signature is None else dataclasses.asdict(signature)
    return json.dumps([PROGRAM, size_and_time, dataclasses.asdict(split.segments)])


def remove_segments(work: Work, file: str) -> None:
    """Delete what is there of a file's segments."""
    shutil.rmtree(work.segments(file), ignore_errors=True)
