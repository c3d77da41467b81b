"""Keeping the picture of a live stream: what the camera sent, encoded by a thread of its own.

Whoever hands in a picture never waits. A few pictures wait for the encoder; where it does not keep up, those that come
are left out and counted. What ends the video does not end the recording that it belongs to.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from sqlalchemy import Connection, update

from fer_core.background.locks import take
from fer_core.errors import JobError, MediaError
from fer_core.imaging.fragments import FragmentWriter
from fer_core.sessions import videos as files
from fer_core.sessions.database import Database
from fer_core.sessions.schema import videos

logger = logging.getLogger(__name__)

WAITING = 8  # so many pictures wait for the encoder, about 7 MB at 640 × 480
_CHECK_S = 1.0  # how often the room on the disk is looked at


@dataclass(frozen=True)
class VideoProgress:
    """How far a video is.

    Attributes:
        frames: pictures that are written.
        dropped: frames of the camera that were left out.
        problem: why it ended early, as text; empty if it did not.
    """

    frames: int
    dropped: int
    problem: str


class VideoRecorder:
    """Writes the pictures of a session into its video, from any thread, until it is closed or something stops it."""

    def __init__(self, database: Database, session_id: int, limit_bytes: int) -> None:
        """Begin a video.

        Args:
            database: of the session.
            session_id: its number.
            limit_bytes: the video ends where its file is larger.

        Raises:
            SessionError: the database cannot be written.
        """
        self._database, self._limit_bytes = database, limit_bytes
        self._path = files.new_video(database, session_id)
        self._waiting: deque[tuple[np.ndarray, float]] = deque()
        self._changed = threading.Condition()
        self._closed, self._problem = False, ""
        self._frames = self._dropped = 0
        self._lock: int | None = None  # nobody else finishes the video while this process writes it
        self._size_wh: tuple[int, int] | None = None
        self._start_s, self._last_s, self._checked_s = 0.0, 0.0, -_CHECK_S
        self._thread = threading.Thread(target=self._write, name=f"video {session_id}", daemon=True)
        self._thread.start()

    def add(self, image_bgr: np.ndarray, time_s: float, delivered: int = 1) -> None:
        """Hand in a picture; it is left out where too many wait, and after the end.

        Args:
            image_bgr: uint8 (h, w, 3), which nobody changes any more.
            time_s: its time in the session, seconds, later than the one before.
            delivered: frames of the camera since the last call, this one included.
        """
        with self._changed:
            if self._closed or self._problem:
                return
            kept = len(self._waiting) < WAITING
            self._dropped += delivered - kept
            if kept:
                self._waiting.append((image_bgr, time_s))
                self._changed.notify()

    def save(self, connection: Connection) -> None:
        """Write how far it is into the database.

        Args:
            connection: in a transaction.
        """
        connection.execute(update(videos).where(videos.c.file == self._path.name).values(**self._columns()))

    def close(self) -> None:
        """Take in nothing more, and wait until what waits is written."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def finish(self) -> None:
        """Make the closed video one that players find their way in.

        Raises:
            SessionError: the database cannot be written.
        """
        try:
            files.finish(self._database, self._path)
        finally:
            if self._lock is not None:
                files.release(self._path, self._lock)
                self._lock = None

    @property
    def state(self) -> VideoProgress:
        """Its progress."""
        with self._changed:
            return VideoProgress(self._frames, self._dropped, self._problem)

    def _columns(self) -> dict[str, Any]:
        with self._changed:
            columns: dict[str, Any] = {"dropped": self._dropped, "problem": self._problem}
            if self._size_wh:
                width, height = self._size_wh
                columns |= {"width": width, "height": height, "frames": self._frames, "start_s": self._start_s}
                columns["length_s"] = self._last_s - self._start_s
            return columns

    def _write(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = take(files.lock_of(self._path))
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with open(handle, "wb", buffering=0) as file:
                self._write_pictures(file)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self._stop("there is no space left", "Make room.")
            else:
                self._stop(f"{self._path.parent} cannot be written: {error.strerror}", "Check that folder.")
        except (JobError, MediaError) as error:
            self._stop(str(error).rstrip("."), "")
        except Exception as error:  # a thread that ends in silence would go on looking as if it worked
            logger.exception("A video could not be written on.")
            self._stop(f"{type(error).__name__}: {error}", "")

    def _write_pictures(self, file: BinaryIO) -> None:
        if (first := self._next()) is None:
            return
        writer = FragmentWriter(file, first[0].shape[1::-1])
        try:
            self._write_until_closed(writer, file, first)
        except (OSError, MediaError):
            with suppress(OSError, MediaError):
                writer.close()
            raise
        writer.close()

    def _write_until_closed(self, writer: FragmentWriter, file: BinaryIO, first: tuple[np.ndarray, float]) -> None:
        picture: tuple[np.ndarray, float] | None = first
        while picture is not None:
            image_bgr, time_s = picture
            if not self._has_room(file, time_s):
                return
            writer.write(image_bgr, time_s - first[1])
            with self._changed:
                self._size_wh, self._start_s, self._last_s = writer.size_wh, first[1], time_s
                self._frames += 1
            picture = self._next()

    def _next(self) -> tuple[np.ndarray, float] | None:
        """Return the picture that is next; None after the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def _has_room(self, file: BinaryIO, time_s: float) -> bool:
        if time_s - self._checked_s < _CHECK_S:
            return True
        self._checked_s = time_s
        if shutil.disk_usage(self._path.parent).free < files.RESERVE_BYTES:
            self._stop(f"less than {files.RESERVE_BYTES // 10**6} MB of the disk are left", "Make room.")
        elif os.fstat(file.fileno()).st_size > self._limit_bytes:
            self._stop(f"its file has {self._limit_bytes / 1e6:,.0f} MB, which is what FER_VIDEO_MB allows", "")
        return not self._problem

    def _stop(self, reason: str, todo: str) -> None:
        with self._changed:
            self._problem = f"The picture is kept no longer: {reason}. What was kept stays; the scores go on. {todo}"
            self._problem = self._problem.strip()
            self._waiting.clear()
        logger.warning("%s: %s", self._path, self._problem)
