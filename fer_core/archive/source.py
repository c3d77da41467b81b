"""A file of an archive, and what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fer_core.background.launch import plain_name

WAITING, DONE, FAILED = "waiting", "done", "failed"


@dataclass(frozen=True, slots=True)
class Signature:
    """By what a changed file is told.

    Attributes:
        size_bytes: its size.
        modified_ns: when it was modified last, nanoseconds since 1970.
    """

    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the manifest.

    Attributes:
        file: what it is called in the table, as it was named on the command line.
        state: `WAITING`, `DONE` or `FAILED`.
        signature: of the file as it was analysed, or as it waits; None if it could not be looked at.
        part: name of its part of the table; None if it has none.
        frames: number of frames that were analysed, 1 for a picture.
        rows: number of rows in its part.
        reason: why it failed, in words; None if it did not.
        attempts: how often its analysis was begun.
        program: name and version of the program that analysed it.
        segments: in how many segments it is analysed, each by any process; 1 if all at once.
        segments_done: how many of them are there.
        whole_because: why a long video was analysed all at once; None if it was not.
    """

    file: str
    state: str = WAITING
    signature: Signature | None = None
    part: str | None = None
    frames: int = 0
    rows: int = 0
    reason: str | None = None
    attempts: int = 0
    program: str | None = None
    segments: int = 1
    segments_done: int = 0
    whole_because: str | None = None

    @property
    def weight(self) -> int:
        """Its size in bytes, by which work and progress are measured; at least 1."""
        return max(1, self.signature.size_bytes) if self.signature else 1


def signature_of(path: Path) -> Signature | None:
    """Return the signature of a file; None if it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Signature(status.st_size, status.st_mtime_ns)


def part_name(file: str) -> str:
    """Return what the part of a file is called: after the file, with a hash of its whole name.

    >>> part_name("photos/a.jpg")
    'a.jpg-58d4d8dec171db3f.parquet'
    """
    digest = hashlib.sha256(file.encode(errors="surrogateescape")).hexdigest()
    return f"{plain_name(file)[:100].strip('. ')}-{digest[:16]}.parquet"
