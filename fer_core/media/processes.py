"""Pictures and videos analysed by several processes of this machine, into the table that one of them would write.

Where there are hardly more files than processes, these share long videos, segment by segment.
"""

from __future__ import annotations

import io
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TextIO

import cv2

from fer_core.errors import FerError, MediaError
from fer_core.imaging.video import SeekError
from fer_core.media.analysis import Choices, Report, analyze_files, size_bytes
from fer_core.media.sources import is_picture
from fer_core.media.splitting import Segment, SegmentResult, Split, analyze_segment, find_split, join_segments
from fer_core.recognition.table import Table
from fer_core.recognizer import EmotionRecognizer

_REPORT_S = 0.2
# With so many files for each process, they are all busy without sharing one.
_FILES_A_JOB = 2
_SEGMENTS_AHEAD = 4


@dataclass(frozen=True)
class Processes:
    """How files are spread over processes.

    Attributes:
        jobs: how many processes.
        model: folder or name of the model, which each of them loads.
    """

    jobs: int
    model: str


@dataclass(frozen=True)
class _Worker:
    """What a process keeps from one file to the next."""

    recognizer: EmotionRecognizer
    choices: Choices
    table_type: type[Table]
    stop: Event


# What this process is ready with, or why it is not.
_worker: _Worker | MediaError


def analyze_in_processes(
    processes: Processes,
    recognizer: EmotionRecognizer,
    files: Mapping[str, Path],
    out: TextIO,
    choices: Choices,
    report: Report,
    table_type: type[Table] = Table,
) -> list[dict[str, Any]]:
    """Do what `analyze_files` does, with the same rows in the same order; the rows of a file come once it is done.

    Raises:
        MediaError: a process could not begin, was killed or crashed.
    """
    recognizer = recognizer.with_label_set(choices.label_set or recognizer.label_set)
    head = io.StringIO()
    table = table_type(head, recognizer.labels, recognizer.uncertain_below)
    out.write(head.getvalue())
    context = multiprocessing.get_context("spawn")  # threads of this process would not survive a fork
    stop = context.Event()
    settings = processes.model, choices, table_type, stop
    children: list[BaseProcess] = []
    with ProcessPoolExecutor(processes.jobs, context, _start, settings) as pool:
        try:
            splits = _find_splits(files, choices) if len(files) < _FILES_A_JOB * processes.jobs else {}
            ahead = _SEGMENTS_AHEAD * processes.jobs
            calls = [_Call(pool, name, path, splits.get(name), ahead) for name, path in files.items()]
            children = multiprocessing.active_children()
            return _collect(calls, out, report, head, table)
        except BrokenProcessPool as error:
            pool.shutdown(cancel_futures=True)
            raise MediaError(_unexpected_end([child.exitcode for child in children])) from error
        finally:
            stop.set()  # what still runs ends at its next frame
            pool.shutdown(cancel_futures=True)


def _unexpected_end(codes: Iterable[int | None]) -> str:
    """Say why processes ended of which one did so unexpectedly, after which the others were terminated.

    Args:
        codes: with which they ended, negative for a signal; None if that is not known.
    """
    first = next((code for code in codes if code not in (None, 0, -signal.SIGTERM)), None)
    if first is not None and first < 0 and first != -signal.SIGKILL:
        name = signal.Signals(-first).name
        return f"A process that analysed files crashed ({name}). This is a fault of the program; start again."
    if first is not None and first > 0:
        return f"A process that analysed files ended with code {first}. This is a fault of the program; start again."
    return "A process that analysed files was killed, perhaps for want of memory. Start again with fewer --jobs."


class _Call:
    """One file that processes work on: as a whole, or segment by segment.

    Attributes:
        name: what it is called in the table.
        path: where it lies.
        split: its segments; None if it is analysed as a whole.
    """

    def __init__(self, pool: ProcessPoolExecutor, name: str, path: Path, split: Split | None, ahead: int) -> None:
        """Args:
        pool: gets the first calls at once.
        name: what the file is called in the table.
        path: where it lies.
        split: its segments; None to analyse it as a whole.
        ahead: so many segments may be done before they are asked for; more would fill the memory.
        """
        self.name, self.path, self.split = name, path, split
        self._pool, self._ahead = pool, ahead
        self._left = deque(split.parts if split else ())
        self._futures: deque[Future[Any]] = deque()
        self._count, self._taken = max(1, len(self._left)), 0
        self._submit()

    @property
    def done_bytes(self) -> float:
        """How much of the file is done."""
        return size_bytes(self.path) * (self._taken + sum(future.done() for future in self._futures)) / self._count

    def results(self, wait_for: Callable[[Future[Any]], Any]) -> Generator[Any, None, None]:
        """Yield what the calls returned, in their order.

        Args:
            wait_for: returns the result of one.
        """
        while self._futures:
            result = wait_for(self._futures[0])
            self._futures.popleft()
            self._taken += 1
            self._submit()
            yield result

    def as_whole(self) -> _Call:
        """Return the call for the whole of the file in place of those for its segments."""
        for future in self._futures:
            future.cancel()
        return _Call(self._pool, self.name, self.path, None, self._ahead)

    def _submit(self) -> None:
        if self.split is None and not self._taken:
            self._futures.append(self._pool.submit(_analyze, self.name, self.path))
        while self.split and self._left and len(self._futures) < self._ahead:
            self._futures.append(self._pool.submit(_analyze_segment, self.path, self.split, self._left.popleft()))


def _find_splits(files: Mapping[str, Path], choices: Choices) -> dict[str, Split]:
    splits: dict[str, Split] = {}
    if choices.annotated:  # a copy is written from its beginning to its end
        return splits
    for name, path in files.items():
        with suppress(SeekError):
            split = None if is_picture(path) else find_split(path, choices)
            splits |= {name: split} if split else {}
    return splits


def _collect(
    calls: Sequence[_Call], out: TextIO, report: Report, head: io.StringIO, table: Table
) -> list[dict[str, Any]]:
    """Write the rows of files in their order; return what came of them.

    Args:
        calls: of the files.
        out: gets the rows.
        report: is told how far it is.
        head: what `table` writes to; it holds what each file's own table begins with.
        table: gets the rows of segments, which this process joins.
    """
    outcomes: list[dict[str, Any]] = []
    length, total = len(head.getvalue()), sum(size_bytes(call.path) for call in calls)

    def wait_for(future: Future[Any]) -> Any:
        while not wait([future], _REPORT_S).done:
            report(sum(call.done_bytes for call in calls), total)
        return future.result()

    for call in calls:
        rows = ""
        if call.split is not None:
            try:
                outcomes.append(_join(call, call.split, call.results(wait_for), table))
                rows = head.getvalue()
            except SeekError:
                call = call.as_whole()
            head.seek(length)
            head.truncate()
        if call.split is None:
            rows, outcome = next(call.results(wait_for))
            outcomes += outcome
        out.write(rows[length:])
        out.flush()
    return outcomes


def _join(call: _Call, split: Split, results: Iterable[SegmentResult], table: Table) -> dict[str, Any]:
    """Write the rows of a long video; return what came of it."""
    frames = 0
    try:
        for result in join_segments(results, split):
            table.add(call.name, result, result.time_s)
            frames += 1
    except SeekError:
        raise
    except MediaError as error:
        return {"file": call.name, "frames": frames, "error": str(error)}
    return {"file": call.name, "frames": frames}


def _start(model: str, choices: Choices, table_type: type[Table], stop: Event) -> None:
    """Make this process ready for its files."""
    global _worker  # the pool gives its processes no other memory
    # Ctrl-C reaches every process of a terminal: the first of them tells the others to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)  # other processors have processes of their own
    try:
        _worker = _Worker(EmotionRecognizer(model, choices.label_set, threads=1), choices, table_type, stop)
    except Exception as error:  # raised here it would look as if the process had been killed
        reason = str(error) if isinstance(error, FerError) else f"{type(error).__name__}: {error}"
        _worker = MediaError(f"A process for the analysis could not begin: {reason}")


def _ready() -> _Worker:
    if isinstance(_worker, MediaError):
        raise _worker
    return _worker


def _analyze_segment(path: Path, split: Split, part: Segment) -> SegmentResult:
    return analyze_segment(_ready().recognizer, path, split, part, _stop_if_asked)


def _stop_if_asked(*_: float) -> None:
    if _ready().stop.is_set():
        raise KeyboardInterrupt


def _analyze(name: str, path: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return a table of one file as text, and what became of it."""
    rows, worker = io.StringIO(), _ready()
    outcomes = analyze_files(
        worker.recognizer, {name: path}, rows, worker.choices, _stop_if_asked, table_type=worker.table_type
    )
    return rows.getvalue(), outcomes
