"""The pictures of sessions: files in a folder beside the database, and what the database knows of them.

A file's name is drawn by lot. Its row loses its session when that is deleted, however it is deleted; then the file
goes, at once or, where something came between, at the next start.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from fer_core.background.locks import take
from fer_core.charts.timeline import clock
from fer_core.errors import MediaError
from fer_core.files import remove_abandoned, sha256_of
from fer_core.formats import count_text
from fer_core.imaging.fragments import PARTIAL, VideoFacts, finish_video, require_video, video_facts
from fer_core.sessions.database import Database
from fer_core.sessions.schema import videos
from fer_core.settings import home_folder

logger = logging.getLogger(__name__)

FORMAT = "video/mp4"
RESERVE_BYTES = 500_000_000  # of the disk, for the rows of the sessions and for whoever else writes on it


@dataclass(frozen=True)
class RecordedVideo:
    """The picture of a session.

    Attributes:
        path: of its file.
        format: its media type.
        size_wh: width and height in pixels; None before the first picture.
        start_s: time of its first picture in the session, seconds.
        length_s: seconds.
        frames: how many pictures it has.
        dropped: how many frames of the camera are not in it.
        bytes: size of the file; None until it is finished.
        sha256: of the file, in hexadecimal; None until it is finished.
        problem: why it ended before the session; empty if it did not.
        fault: why it cannot be played, as a clause; empty if it can.
    """

    path: Path
    format: str
    size_wh: tuple[int, int] | None
    start_s: float
    length_s: float
    frames: int
    dropped: int
    bytes: int | None
    sha256: str | None
    problem: str
    fault: str

    @property
    def finished(self) -> bool:
        """Whether nothing is written to it any more."""
        return self.sha256 is not None

    def metadata(self) -> dict[str, Any]:
        """Return what is known of it, as plain JSON values."""
        width, height = self.size_wh or (None, None)
        about = {
            "format": self.format,
            "width": width,
            "height": height,
            "start_s": round(self.start_s, 3),
            "length_s": round(self.length_s, 3),
            "frames": self.frames,
            "dropped": self.dropped,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "problem": self.problem,
            "fault": self.fault,
        }
        return {name: value for name, value in about.items() if value not in (None, "")}

    def text(self) -> str:
        """Return it in short, as text."""
        if self.fault:
            return f"cannot be shown: {self.fault}"
        size = f"{self.size_wh[0]} × {self.size_wh[1]}, " if self.size_wh else ""
        return f"{clock(self.length_s)} from {clock(self.start_s)} on, {size}{count_text(self.frames, 'frame')}"


def videos_folder(database: Database) -> Path:
    """Return the folder of a database's videos."""
    return (database.file.parent if database.file else home_folder() / "sessions") / "videos"


def new_video(database: Database, session_id: int) -> Path:
    """Note that a session has a video; return the path of its file, which is still to be written.

    Raises:
        SessionError: the database cannot be written.
    """
    name = f"{secrets.token_hex(16)}.mp4"
    with database.begin() as connection:
        connection.execute(
            insert(videos), {"session_id": session_id, "file": name, "format": FORMAT, "dropped": 0, "problem": ""}
        )
    return videos_folder(database) / name


def video_of(database: Database, session_id: int) -> RecordedVideo | None:
    """Return the video of a session, if it has one.

    One whose recorder was ended before it could finish it is finished now.
    """
    query = select(videos).where(videos.c.session_id == session_id)

    def read() -> Row[Any] | None:
        with database.begin() as connection:
            return connection.execute(query).first()

    row = read()
    if row is None:
        return None
    path = videos_folder(database) / row.file
    if row.sha256 is None and path.exists() and (lock := take(lock_of(path), 0.0)) is not None:
        try:
            row = read()  # somebody else may have finished it just now
            if row is not None and row.sha256 is None:
                finish(database, path)
                row = read()
        finally:
            release(path, lock)
    return None if row is None else _recorded(row, path)


def lock_of(path: Path) -> Path:
    """Return the path of the lock that whoever writes to a video holds."""
    return path.with_suffix(".lock")


def release(path: Path, lock: int) -> None:
    """Give back the lock of a video, which has been taken."""
    lock_of(path).unlink(missing_ok=True)
    os.close(lock)


def finish(database: Database, path: Path) -> None:
    """Make a file that nobody writes to any more one that players find their way in, and note what it holds.

    Raises:
        SessionError: the database cannot be written.
    """
    if not path.exists():
        return
    try:
        facts = _finished(path)
        columns = {"width": facts.size_wh[0], "height": facts.size_wh[1], "frames": facts.frames}
        columns |= {"length_s": facts.length_s, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
    except MediaError as error:
        logger.warning("The video %s holds nothing: %s", path, error)
        columns = {"frames": 0, "bytes": 0, "sha256": ""}
    except OSError as error:
        logger.warning("The video %s cannot be finished: %s", path, error)
        return
    with database.begin() as connection:
        owned = connection.execute(
            update(videos).where(videos.c.file == path.name, videos.c.session_id.is_not(None)).values(**columns)
        ).rowcount
    if not owned or not columns["bytes"]:
        path.unlink(missing_ok=True)  # its session was deleted meanwhile, or there is nothing in it


def remove_unowned(database: Database) -> None:
    """Delete the files of sessions that were deleted.

    Of a database on another computer some may lie there; they are left to the program that runs on it.
    """
    folder = videos_folder(database)
    with database.begin() as connection:
        names = connection.execute(select(videos.c.file).where(videos.c.session_id.is_(None))).scalars().all()
    gone = []
    for name in names:
        here = (folder / name).exists()
        try:
            (folder / name).unlink(missing_ok=True)
            lock_of(folder / name).unlink(missing_ok=True)
        except OSError as error:  # it is tried again
            logger.warning("The video %s of a deleted session cannot be deleted: %s", folder / name, error)
            continue
        if here or database.file:
            gone.append(name)
    if gone:
        with database.begin() as connection:
            connection.execute(delete(videos).where(videos.c.file.in_(gone)))
    if folder.is_dir():
        remove_abandoned(folder, f"{PARTIAL}*")


def _finished(path: Path) -> VideoFacts:
    """Return what a video holds, made an ordinary file if there is room for a copy."""
    if shutil.disk_usage(path.parent).free > path.stat().st_size + RESERVE_BYTES:
        try:
            return finish_video(path)
        except MediaError as error:
            logger.warning("The video stays in fragments: %s", error)
    return video_facts(path)


def _recorded(row: Row[Any], path: Path) -> RecordedVideo:
    return RecordedVideo(
        path=path,
        format=row.format,
        size_wh=(row.width, row.height) if row.width else None,
        start_s=row.start_s or 0.0,
        length_s=row.length_s or 0.0,
        frames=row.frames or 0,
        dropped=row.dropped or 0,
        bytes=row.bytes,
        sha256=row.sha256,
        problem=row.problem,
        fault=_fault(row, path),
    )


def _fault(row: Row[Any], path: Path) -> str:
    if row.sha256 == "":
        return "nothing of it was written before it ended"
    if not path.exists():
        return f"its file {path} is not there"
    if row.sha256 is None:
        return "it is still being written"
    if path.stat().st_size != row.bytes:
        return f"its file {path} is not the one that was written"
    try:
        require_video(path)
    except MediaError as error:
        return f"its file is damaged: {error}"
    return ""
