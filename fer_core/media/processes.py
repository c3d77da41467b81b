"""Pictures and videos analysed by several processes of this machine, into the table that one of them would write."""

from __future__ import annotations

import io
import multiprocessing
import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TextIO

import cv2

from fer_core.errors import MediaError
from fer_core.media.analysis import Choices, Report, analyze_files, size_bytes
from fer_core.recognition.table import Table
from fer_core.recognizer import EmotionRecognizer

_REPORT_S = 0.2


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


_worker: _Worker


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
        MediaError: a process was killed.
    """
    recognizer = recognizer.with_label_set(choices.label_set or recognizer.label_set)
    head = io.StringIO()
    table_type(head, recognizer.labels, recognizer.uncertain_below)
    out.write(head.getvalue())
    context = multiprocessing.get_context("spawn")  # threads of this process would not survive a fork
    stop = context.Event()
    settings = processes.model, choices, table_type, stop
    with ProcessPoolExecutor(processes.jobs, context, _start, settings) as pool:
        try:
            calls = [pool.submit(_analyze, name, path) for name, path in files.items()]
            return _collect(calls, list(files.values()), out, report, len(head.getvalue()))
        except BrokenProcessPool as error:
            raise MediaError(
                "A process that analysed files was killed, perhaps for want of memory. Start again with fewer --jobs."
            ) from error
        finally:
            stop.set()  # what still runs ends at its next frame
            pool.shutdown(cancel_futures=True)


def _collect(
    calls: Sequence[Future[tuple[str, list[dict[str, Any]]]]],
    paths: Sequence[Path],
    out: TextIO,
    report: Report,
    head: int,
) -> list[dict[str, Any]]:
    """Write the rows of files in their order, each after a head of so many characters; return what came of them."""
    outcomes: list[dict[str, Any]] = []
    sizes = [size_bytes(path) for path in paths]
    for call in calls:
        while not wait([call], _REPORT_S).done:
            report(sum(size for size, each in zip(sizes, calls, strict=True) if each.done()), sum(sizes))
        rows, outcome = call.result()
        out.write(rows[head:])
        out.flush()
        outcomes += outcome
    return outcomes


def _start(model: str, choices: Choices, table_type: type[Table], stop: Event) -> None:
    """Make this process ready for its files."""
    global _worker  # the pool gives its processes no other memory
    # Ctrl-C reaches every process of a terminal: the first of them tells the others to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)  # other processors have processes of their own
    _worker = _Worker(EmotionRecognizer(model, choices.label_set, threads=1), choices, table_type, stop)


def _analyze(name: str, path: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return a table of one file as text, and what became of it."""

    def report(*_: float) -> None:
        if _worker.stop.is_set():
            raise KeyboardInterrupt

    rows = io.StringIO()
    outcomes = analyze_files(
        _worker.recognizer, {name: path}, rows, _worker.choices, report, table_type=_worker.table_type
    )
    return rows.getvalue(), outcomes
