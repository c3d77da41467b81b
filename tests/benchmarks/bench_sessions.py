"""How long it takes to list a hundred sessions and to open one of eight hours.

    python -m tests.benchmarks.bench_sessions [--url postgresql://…] [--rows 432000] [--rounds 5]

The database is a fresh SQLite file in a temporary folder unless a URL is given. Opening is what the page does until its
charts are ready: all rows read, faces summed up, curves averaged, the first thousand rows of the table. It should take
at most two seconds, the list one.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert

from fer_core.emotions import LABELS
from fer_core.media.summary import courses, summarize
from fer_core.sessions.database import Database, open_database
from fer_core.sessions.details import Details
from fer_core.sessions.rows import packed
from fer_core.sessions.schema import face_rows, sessions
from fer_core.sessions.settings_log import RecordedSettings, model_id
from fer_core.sessions.store import Session, create_session, list_sessions, session_by_name
from tests.sessions.recording import BEGAN, CARD

_FPS = 15
_AT_ONCE = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url")
    parser.add_argument("--rows", type=int, default=8 * 3600 * _FPS)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(options.url or f"sqlite:///{folder}/sessions.db")
        long = make(database, options.rows, 0)
        for number in range(1, 100):
            make(database, 200, number)
        if database.file:
            print(f"{options.rows:,} rows take {database.file.stat().st_size / 2**20:.0f} MiB")
        report("a hundred sessions listed", options.rounds, lambda: list_sessions(database))
        report(f"{options.rows:,} rows opened", options.rounds, lambda: open_session(long))
        report("of it reading", options.rounds, long.short_rows)
        report("the whole table as CSV", 1, long.table)


def make(database: Database, rows: int, number: int) -> Session:
    """Write a session of one face."""
    settings, began = RecordedSettings(CARD), BEGAN + timedelta(minutes=number)
    session = session_by_name(create_session(database, settings, Details(), began), database)
    with database.begin() as connection:
        model = model_id(connection, settings.model)
        for part in _parts(rows, session.id, model):
            connection.execute(insert(face_rows), part)
        progress = {"rows": rows, "frames": rows, "faces": 1, "length_s": rows / _FPS}
        connection.execute(sessions.update().where(sessions.c.id == session.id).values(**progress))
    return session.again()


def _parts(rows: int, session_id: int, model: int) -> Iterator[list[dict[str, Any]]]:
    rng = np.random.default_rng(0)
    for start in range(0, rows, _AT_ONCE):
        probs = rng.dirichlet(np.ones(len(LABELS)), min(_AT_ONCE, rows - start)).astype(np.float32)
        scores, best = packed(probs), probs.argmax(axis=1).tolist()
        yield [
            {
                "session_id": session_id,
                "number": number,
                "frame": number,
                "time_s": number / _FPS,
                "utc_ms": 1_772_000_000_000 + number * 1000 // _FPS,
                "model_id": model,
                "face": 1,
                **dict.fromkeys(("left", "top", "right", "bottom"), 100.5),
                **dict.fromkeys(("face_size_px", "sharpness", "brightness", "detector_score"), 0.5),
                "problems": "blurred" if number % 9 == 0 else "",
                "expression": best[number - start],
                "uncertain": bool(probs[number - start].max() < 0.4),
                "scores": scores[number - start],
                "unsmoothed": scores[number - start],
                "corrected": None,
            }
            for number in range(start, min(start + _AT_ONCE, rows))
        ]


def open_session(session: Session) -> None:
    rows = session.short_rows()
    summarize(rows, session.labels)
    courses(rows, session.labels, [1], 600)
    session.first_rows(1000)


def report(what: str, rounds: int, work: Callable[[], Any]) -> None:
    times = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{what:28} {wall:6.2f} s, {cpu:6.2f} s of one core (median of {rounds})", flush=True)


if __name__ == "__main__":
    main()
