"""Recorded sessions: the scores of a live stream, written as they come; never its pictures.

A session is a folder of two files: `table.csv`, which grows frame by frame, and `about.json`, its metadata. What was
written survives whatever ends the server; a session that was cut off only lacks its end.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from fer_core.errors import SessionError
from fer_core.files import atomic_path, read_json, write_json
from fer_core.models.card import ModelCard
from fer_core.recognition.baseline import NEUTRAL, Baseline
from fer_core.recognition.provenance import metadata
from fer_core.recognition.table import Table, read_table, without_empty_corrections
from fer_core.settings import home_folder
from fer_core.types import FrameResult

logger = logging.getLogger(__name__)

_NO_BASELINES: Mapping[int, Baseline] = MappingProxyType({})


def _now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Recording:
    """The progress of a recording.

    Attributes:
        name: of the session.
        seconds: since it began.
        rows: in its table.
        error: why it ended early, as text; empty if it did not.
        ended: whether it has ended.
    """

    name: str
    seconds: float
    rows: int
    error: str
    ended: bool


class Recorder:
    """Writes the faces of a live stream into a session of its own, from any thread, until it is closed."""

    def __init__(
        self,
        card: ModelCard,
        labels: Sequence[str],
        root: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        now_utc: Callable[[], datetime] = _now_utc,
        label_set: str | None = None,
        **settings: Any,
    ) -> None:
        """Begin a session.

        Args:
            card: of the model that scores.
            labels: names of its scores, in the order of the results.
            root: folder of all sessions.
            clock: monotonic seconds, those of the results' times.
            now_utc: the time of day.
            label_set: what faces are scored for; the model's default if None.
            settings: further metadata of the session, as plain JSON values.

        Raises:
            SessionError: it cannot be written.
        """
        self._clock, self._began_s, self._began_utc = clock, clock(), now_utc()
        self._card, self._label_set, self._settings = card, label_set, settings
        self._lock = threading.Lock()
        self._baselines: Mapping[int, Baseline] = {}
        self._baseline_entries: list[dict[str, Any]] = []
        self._rows, self._last_s, self._error, self._ended = 0, 0.0, "", False
        try:
            self.session = _new_session(root or sessions_root(), self._began_utc)
            self._file = self.session.table_file.open("x", encoding="utf-8", newline="")
            uncertain_below = card.calibration_of(label_set).uncertain_below
            # Whether a baseline will be set is not known yet; the end drops columns that stayed empty.
            self._table = Table(self._file, labels, uncertain_below, self._began_utc, corrected=NEUTRAL in labels)
            self._file.flush()
            self._write_metadata()
        except OSError as error:
            raise SessionError(
                f"The session cannot be recorded: {error.strerror}. Make room "
                f"at {root or sessions_root()}, or set FER_HOME to a folder that can be "
                "written."
            ) from error

    def add(self, result: FrameResult, baselines: Mapping[int, Baseline] = _NO_BASELINES) -> None:
        """Write the faces of a frame now; after an error, or the end, nothing.

        Args:
            result: the faces.
            baselines: what their scores were corrected by, by track number; each goes into the metadata once.
        """
        with self._lock:
            if self._ended:
                return
            try:
                self._last_s = self._clock() - self._began_s
                self._note_baselines(baselines)
                self._rows += self._table.add(self.session.name, result, self._last_s)
            except OSError as error:
                self._error = (
                    f"The recording ended: {error.strerror}. What was written so far is kept. Make room and "
                    "begin another."
                )
                logger.warning("Session %s: %s", self.session.name, self._error)
                self._close()

    def close(self) -> None:
        """End the session; closing it again does nothing."""
        with self._lock:
            if not self._ended:
                self._close()

    @property
    def state(self) -> Recording:
        """Its progress."""
        with self._lock:
            seconds = self._last_s if self._ended else self._clock() - self._began_s
            return Recording(self.session.name, seconds, self._rows, self._error, self._ended)

    def _close(self) -> None:
        self._ended = True
        try:
            self._file.close()
            if not self._rows:
                self.session.delete()  # an empty session is of no use
                return
            self._write_metadata(
                ended_utc=(self._began_utc + timedelta(seconds=self._last_s)).isoformat(timespec="milliseconds"),
                rows=self._rows,
            )
            if not self._baseline_entries:
                self._drop_empty_corrections()
        except OSError as error:  # the disk is full: its table is there, and its last row shows when it ended
            logger.warning("Session %s could not be closed: %s", self.session.name, error.strerror)

    def _drop_empty_corrections(self) -> None:
        content = self.session.table_file.read_bytes()
        if (shorter := without_empty_corrections(content)) != content:
            with atomic_path(self.session.table_file) as partial:
                partial.write_bytes(shorter)

    def _note_baselines(self, baselines: Mapping[int, Baseline]) -> None:
        """Write down baselines that are new, with the session's time from which they hold."""
        new = {face: baseline for face, baseline in baselines.items() if self._baselines.get(face) is not baseline}
        self._baselines = baselines
        for track_id, baseline in new.items():
            entry = {"face": track_id + 1, "from_s": round(self._last_s, 3), **baseline.to_json(self._began_s)}
            self._baseline_entries.append(entry)
        if new:
            self._write_metadata()

    def _write_metadata(self, **details: Any) -> None:
        began_utc = self._began_utc.isoformat(timespec="milliseconds")
        if self._baseline_entries:
            details["baselines"] = self._baseline_entries
        write_json(
            self.session.metadata_file,
            metadata(self._card, self._label_set, began_utc=began_utc, **details, **self._settings),
        )


@dataclass(frozen=True)
class Session:
    """The files of one recorded session below `path`."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def table_file(self) -> Path:
        return self.path / "table.csv"

    @property
    def metadata_file(self) -> Path:
        return self.path / "about.json"

    def metadata(self) -> dict[str, Any]:
        """Read its metadata.

        Raises:
            SessionError: the file is missing or broken.
        """
        try:
            return dict(read_json(self.metadata_file))
        except (OSError, ValueError, TypeError) as error:
            raise SessionError(
                f"{self.metadata_file} cannot be read: {error}. The table beside it may still be whole."
            ) from error

    def table(self) -> bytes:
        """Read its table as CSV, with corrected scores if a baseline was set.

        Raises:
            SessionError: the file is missing or cannot be read.
        """
        try:
            return without_empty_corrections(self.table_file.read_bytes())
        except (OSError, UnicodeDecodeError) as error:
            raise SessionError(f"{self.table_file} cannot be read: {error}.") from error

    def rows(self) -> pd.DataFrame:
        """Read its table; a half-written last row is left out.

        Raises:
            SessionError: the file is missing or broken.
        """
        try:
            return read_table(self.table())
        except (OSError, ValueError, KeyError) as error:
            raise SessionError(
                f"{self.table_file} cannot be read: {error}. Expected the table that a recording wrote."
            ) from error

    def delete(self) -> None:
        """Delete it with all its files."""
        shutil.rmtree(self.path)


def sessions_root() -> Path:
    """Return the folder of all sessions."""
    return home_folder() / "sessions"


def list_sessions(root: Path | None = None) -> list[Session]:
    """Return all sessions, the newest first."""
    return [Session(path.parent) for path in sorted((root or sessions_root()).glob("*/table.csv"), reverse=True)]


def _new_session(root: Path, began_utc: datetime) -> Session:
    """Make the folder of a session, named after its time; two may begin in the same second."""
    name = began_utc.strftime("%Y-%m-%d %H.%M.%S")
    for number in range(1, 100):
        path = root / (name if number == 1 else f"{name} ({number})")
        try:
            path.mkdir(parents=True)
            return Session(path)
        except FileExistsError:
            continue
    raise SessionError(f"Too many sessions began at {name}. Wait a second and begin again.")
