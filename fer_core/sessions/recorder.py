"""Recording: the scores of a live stream, written as they come; its pictures only where somebody agreed to that.

The video thread only puts rows into memory. A thread of the recorder's own writes them twice a second, so that whatever
ends the server costs at most the last second. Where the database is locked, full or gone, the recording pauses: rows
wait in memory and are tried again until it works, or until too many wait; then the recording ends. What was written
before stays written.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from fer_core.errors import SessionError
from fer_core.recognition.baseline import Baseline
from fer_core.sessions.batch import Batch
from fer_core.sessions.database import Database, DatabaseError
from fer_core.sessions.details import Details
from fer_core.sessions.markers import Marker
from fer_core.sessions.media_time import MediaClock, MediaTime
from fer_core.sessions.rows import ms_of, rows_of
from fer_core.sessions.schema import SIZE
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.store import Session, create_session, session_by_name, sessions_database
from fer_core.sessions.studies import consents_of
from fer_core.sessions.video_recorder import VideoProgress, VideoRecorder
from fer_core.types import FrameResult

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 0.5
HELD_S = 60.0  # so long rows wait in memory for a database that cannot be written
_SILENT_S = 5.0  # a database that has not answered for so long is in trouble, even if it raises nothing
_LAST_WORDS_S = 3.0  # how long a program that ends waits for recordings to be written
_NO_BASELINES: Mapping[int, Baseline] = MappingProxyType({})


def _now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Recording:
    """The progress of a recording.

    Attributes:
        name: of the session.
        seconds: since it began.
        rows: in its table, those included that are still to be written.
        problem: why it is paused, as text; empty if it is not.
        error: why it ended early, as text; empty if it did not.
        ends_in_s: seconds until it ends if no further frame comes; None if it does not wait for one.
        ended: whether nothing more is taken in.
        saved: whether all that was taken in is written, or given up.
        video: the progress of its video; None if none is kept.
    """

    name: str
    seconds: float
    rows: int
    problem: str
    error: str
    ends_in_s: float | None
    ended: bool
    saved: bool
    video: VideoProgress | None = None


class Recorder:
    """Writes the faces of a live stream into a session of its own, from any thread, until it is closed."""

    def __init__(
        self,
        settings: RecordedSettings,
        details: Details | None = None,
        database: Database | None = None,
        clock: Callable[[], float] = time.monotonic,
        now_utc: Callable[[], datetime] = _now_utc,
    ) -> None:
        """Begin a session.

        Args:
            settings: what frames are analysed with.
            details: study, participant, condition, name, notes and tags.
            database: to write to; the one of the settings if None.
            clock: monotonic seconds, those of the results' times.
            now_utc: the time of day.

        Raises:
            SessionError: it cannot be written.
        """
        self._database = database or sessions_database()
        self._clock, self._began_s, self._began_utc = clock, clock(), now_utc()
        self._labels = settings.card.labels
        self._use(settings)
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._baselines: Mapping[int, Baseline] = {}
        self._pending, self._writing = Batch(), Batch()
        self._rows = self._frames = self._faces = 0
        self._frame_offset = self._face_offset = 0
        self._last_index, self._last_s, self._written_s = -1, 0.0, 0.0
        self._size_wh: tuple[int, int] | None = None
        self._elapsed_s = 0.0  # until the last frame; `_last_s` is its time in the session, which a clip has of its own
        self._media, self._zero_s = MediaClock(), self._began_s
        self._waits_since_s: float | None = None  # when the oldest of what waits came
        self._ends_at_s: float | None = None
        self._problem, self._error, self._ended, self._saved = "", "", False, False
        self._video: VideoRecorder | None = None
        name = create_session(self._database, settings, details or Details(), self._began_utc)
        self.session: Session = session_by_name(name, self._database)
        self._thread = threading.Thread(target=self._write_until_closed, name=f"recorder {name}", daemon=True)
        self._thread.start()
        _running.add(self)

    def keep_video(self, limit_bytes: int) -> None:
        """Keep the pictures of the frames that come from now on.

        Args:
            limit_bytes: the video ends where its file is larger.

        Raises:
            SessionError: no consent to that was kept with the session, or the database cannot be written.
        """
        if not any(consent.agreed and consent.picture for consent in consents_of(self.session)):
            raise SessionError("The picture is kept only after a yes to that. Ask for it, and keep the answer first.")
        self._video = VideoRecorder(self._database, self.session.id, limit_bytes)

    def add(
        self,
        result: FrameResult,
        baselines: Mapping[int, Baseline] = _NO_BASELINES,
        settings: RecordedSettings | None = None,
        image_bgr: np.ndarray | None = None,
        delivered: int = 1,
        media: MediaTime | None = None,
    ) -> None:
        """Take in the faces of a frame, to be written within a second; after the end, nothing.

        Args:
            result: the faces. A frame number that is not higher than the last one begins another stream, whose faces
                are others.
            baselines: what their scores were corrected by, by track number.
            settings: what the frame was analysed with; the same as before if None.
            image_bgr: the frame, uint8 (h, w, 3), which nobody changes any more.
            delivered: frames of the camera since the last one that was handed in, this one included.
            media: where it is in a clip, whose time the session then has; None for a camera.
        """
        with self._lock:
            if self._ended:
                return
            self._ends_at_s = None
            self._note_time(result, media)
            if settings is not None and settings is not self._settings and not self._change(settings):
                return
            self._note_stream(result)
            self._note_baselines(baselines)
            self._take_in(result)
            self._keep(image_bgr, self._last_s, delivered)
            self._end_if_too_much_waits()

    def add_picture(self, image_bgr: np.ndarray, delivered: int = 1) -> None:
        """Take in the picture of a frame that was not analysed, for the video alone; after the end, nothing.

        Args:
            image_bgr: uint8 (h, w, 3), which nobody changes any more.
            delivered: frames of the camera since the last one that was handed in, this one included.
        """
        with self._lock:
            if not self._ended:
                self._keep(image_bgr, self._moment_s(0.0), delivered)

    def mark(self, label: str, source: str, ago_s: float = 0.0) -> Marker:
        """Put a marker at this moment, or a little before it.

        Args:
            label: its name.
            source: what made it, such as "button".
            ago_s: how long ago it was, seconds.
        """
        return self._put(Marker(self._moment_s(ago_s), label, source=source))

    def end_range(self, marker: Marker, ago_s: float = 0.0) -> Marker:
        """Make a marker a range that ends at this moment, or a little before it."""
        return self._put(replace(marker, end_s=max(self._moment_s(ago_s), marker.time_s)))

    def close_unless_resumed(self, within_s: float) -> None:
        """End the recording if no further frame comes within some seconds. Further calls do not move that time."""
        with self._lock:
            if self._ends_at_s is None:
                self._ends_at_s = self._clock() + within_s

    def close(self, wait_s: float = 0.0) -> None:
        """Take in nothing more; what there is is written by the recorder's thread. Closing it again does nothing.

        Args:
            wait_s: how long to wait for that, seconds.
        """
        with self._lock:
            self._ended = True
        self._wake.set()
        if wait_s:
            self._thread.join(wait_s)

    @property
    def state(self) -> Recording:
        """Its progress."""
        with self._lock:
            left_s = None if self._ends_at_s is None or self._ended else max(self._ends_at_s - self._clock(), 0.0)
            seconds = self._elapsed_s if self._ended or left_s is not None else self._clock() - self._began_s
            problem = self._problem
            if not problem and self._waited_s() > _SILENT_S:
                problem = self._paused("the database does not answer", "")
            problem = "" if self._saved else problem
            return Recording(
                self.session.name,
                seconds,
                self._rows,
                problem,
                self._error,
                left_s,
                self._ended,
                self._saved,
                self._video.state if self._video else None,
            )

    def _use(self, settings: RecordedSettings) -> None:
        self._settings, self._model = settings, settings.model
        self._uncertain_below = self._model["uncertain_below"] or 0.0

    def _change(self, settings: RecordedSettings) -> bool:
        """Note what of the settings is new; return whether the recording can go on with them."""
        if settings.card.labels != self._labels:
            self._error = (
                f"The recording ended: {settings.card.name} scores {', '.join(settings.card.labels)}, and the session "
                f"was begun for {', '.join(self._labels)}. What was recorded is kept. Begin another."
            )
            self._ended = True
            self._wake.set()
            return False
        if changes := settings.changes_since(self._settings):
            self._note("settings", changes)
            self._use(settings)
        self._settings = settings
        return True

    def _note(self, kind: str, content: dict[str, Any]) -> None:
        self._pending.events.append({"time_s": round(self._last_s, 3), "kind": kind, "content": content})

    def _note_time(self, result: FrameResult, media: MediaTime | None) -> None:
        self._elapsed_s = self._clock() - self._began_s
        if media is None:
            self._last_s = self._elapsed_s
            return
        self._last_s = self._media.time_s(media)
        self._zero_s = result.time_s - self._last_s
        if self._media.begins_round(media):
            self._note("clip", {"played_from_s": round(media.position_s, 3)})

    def _note_stream(self, result: FrameResult) -> None:
        if result.index <= self._last_index:
            self._frame_offset += self._last_index + 1
            self._face_offset = self._faces
            self._note("stream", {"first_frame": self._frame_offset, "first_face": self._face_offset + 1})
        self._last_index = result.index
        if self._size_wh not in (None, result.size_wh):
            self._note(SIZE, {"width": result.size_wh[0], "height": result.size_wh[1]})
        self._size_wh = result.size_wh

    def _note_baselines(self, baselines: Mapping[int, Baseline]) -> None:
        """Write down baselines that are new, with the session's time from which they hold."""
        new = {face: baseline for face, baseline in baselines.items() if self._baselines.get(face) is not baseline}
        self._baselines = baselines
        for track_id, baseline in new.items():
            content = {"face": track_id + 1 + self._face_offset, **baseline.to_json(self._zero_s)}
            self._note("baseline", content)

    def _take_in(self, result: FrameResult) -> None:
        rows = rows_of(result, result.index + self._frame_offset, self._uncertain_below, self._face_offset)
        utc_ms = ms_of(self._began_utc + timedelta(seconds=self._elapsed_s))
        for number, row in enumerate(rows, self._rows):
            row.update(number=number, time_s=self._last_s, utc_ms=utc_ms, model=self._model)
        self._pending.rows += rows
        self._rows += len(rows)
        self._frames += 1
        self._faces = max([self._faces, *(row["face"] for row in rows if row["face"] is not None)])
        if self._waits_since_s is None:
            self._waits_since_s = self._clock()

    def _keep(self, image_bgr: np.ndarray | None, time_s: float, delivered: int) -> None:
        if self._video and image_bgr is not None:
            self._video.add(image_bgr, time_s, delivered)

    def _moment_s(self, ago_s: float) -> float:
        ahead_s = self._last_s - self._elapsed_s  # of a clip's time; 0 for a camera
        return round(max(self._clock() - self._began_s + ahead_s - ago_s, 0.0), 3)

    def _put(self, marker: Marker) -> Marker:
        with self._lock:
            if not self._ended:
                self._pending.markers[marker.id] = marker.columns()
        return marker

    def _waited_s(self) -> float:
        return 0.0 if self._waits_since_s is None else self._clock() - self._waits_since_s

    def _end_if_too_much_waits(self) -> None:
        if self._waited_s() > HELD_S:
            self._ended = True
            self._wake.set()

    def _write_until_closed(self) -> None:
        given_up_s = None
        while True:
            self._wake.wait(WRITE_EVERY_S)
            with self._lock:
                self._ended |= self._ends_at_s is not None and self._clock() >= self._ends_at_s
                ended = self._ended
            if ended and self._video:
                self._video.close()
            done = self._write(ended)
            if not ended:
                continue
            given_up_s = given_up_s or time.monotonic() + max(HELD_S - self._waited_s(), 0.0)
            if done or time.monotonic() > given_up_s:
                break
            time.sleep(WRITE_EVERY_S)
        with self._lock:
            if not done:
                self._error = self._unwritten()
                logger.warning("Session %s: %s", self.session.name, self._error)
            self._saved = True
        self._database_work(self._finish, "closed")
        _running.discard(self)

    def _write(self, last: bool) -> bool:
        """Write what waits; return whether nothing waits any more."""
        with self._lock:
            self._writing, self._pending = self._writing.before(self._pending), Batch()
            progress = self._progress(last)
            batch, taken_s = self._writing, self._clock()
        if not batch and not last:
            return True
        try:
            with self._database.begin() as connection:
                batch.write(connection, self.session.id, progress)
                if self._video:
                    self._video.save(connection)
        except DatabaseError as error:
            with self._lock:
                before, self._problem = self._problem, self._paused(error.reason, error.todo)
            if self._problem != before:  # it is tried again and again
                logger.warning("Session %s: %s", self.session.name, error)
            return False
        with self._lock:
            self._writing, self._problem = Batch(), ""
            self._written_s = progress["length_s"]
            self._waits_since_s = taken_s if self._pending else None
        return True

    def _progress(self, last: bool) -> dict[str, Any]:
        values = {"rows": self._rows, "frames": self._frames, "faces": self._faces, "length_s": self._last_s}
        moment = self._began_utc + timedelta(seconds=self._elapsed_s)
        ended = {"ended_ms": ms_of(moment), "problem": self._error} if last else {}
        return {**values, "updated_ms": ms_of(_now_utc()), **ended}

    def _paused(self, reason: str, todo: str) -> str:
        return (
            f"Recording is paused: {reason}. What was written is kept, and what comes waits in memory for up to "
            f"{HELD_S:.0f} s. {todo}"
        ).strip()

    def _unwritten(self) -> str:
        lost_s = self._last_s - self._written_s
        reason = self._problem.removeprefix("Recording is paused: ").split(". ")[0] or "the database did not answer"
        return (
            f"The recording ended: {reason}. What was written until then is kept; the last {lost_s:.0f} s could not "
            "be written. Mend that and begin another."
        )

    def _finish(self) -> None:
        if not self._rows:
            self.session.delete()  # an empty session is of no use
        elif self._error:
            self.session.note_problem(self._error)
        if self._video:
            self._video.finish()

    def _database_work(self, work: Callable[[], None], what: str) -> None:
        try:
            work()
        except SessionError as error:  # its rows are there, and the last shows when it ended
            logger.warning("Session %s could not be %s: %s", self.session.name, what, error)


_running: weakref.WeakSet[Recorder] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Write what recordings still hold when the program ends."""
    recorders = list(_running)
    for recorder in recorders:
        recorder.close()
    end_s = time.monotonic() + _LAST_WORDS_S
    for recorder in recorders:
        recorder.close(max(end_s - time.monotonic(), 0.01))
