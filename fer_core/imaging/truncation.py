"""Whether a video file has all the bytes that its format announces, which tells a cut-off file from an odd one.

What a file says of its length or its frames does not: a clock may start late, a part may be hidden by an edit list.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def lacks_bytes(path: Path) -> bool | None:
    """Return whether a file is shorter than its format says; None where that cannot be told.

    MP4 and its relatives, Matroska, WebM and AVI announce their size.

    Args:
        path: a file that can be opened.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(12)
            file.seek(0)
            if begin[4:8] in _BOXES:
                end = _end_of_boxes(file)
            elif begin[:4] == _EBML:
                end = _end_of_segment(file)
            elif begin[:4] == b"RIFF" and begin[8:] == b"AVI ":
                end = _end_of_chunks(file)
            else:
                return None
            return None if end is None else end > _size(file)
    except OSError:
        return None


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _end_of_boxes(file: BinaryIO) -> int | None:
    """Return where the last box of an MP4 file ends; None if it goes on to wherever the file ends."""

    def length(head: bytes) -> int | None:
        if not head[4:].isalnum():
            return 0
        size = int.from_bytes(head[:4], "big")
        return int.from_bytes(file.read(8), "big") if size == 1 else size or None

    return _end_of_pieces(file, length)


def _end_of_chunks(file: BinaryIO) -> int | None:
    """Return where the last list of an AVI file ends; None if its size was never written."""

    def length(head: bytes) -> int | None:
        if head[:4] != b"RIFF":
            return 0
        size = int.from_bytes(head[4:], "little")
        return 8 + size + size % 2 if size else None

    return _end_of_pieces(file, length)


def _end_of_pieces(file: BinaryIO, length: Callable[[bytes], int | None]) -> int | None:
    """Return where the last of the pieces that follow one another ends; None if one does not tell.

    Args:
        file: an open one.
        length: returns how long a piece is of which it gets the first 8 bytes; 0 if it is none, as what cameras append.
    """
    end, size = 0, _size(file)
    while end + 8 <= size:
        file.seek(end)
        piece = length(file.read(8))
        if piece is None:
            return None
        if piece < 8:
            return end
        end += piece
    return end


def _end_of_segment(file: BinaryIO) -> int | None:
    """Return where the segment of a Matroska file ends; None if its size was never written."""
    for name in (_EBML, _SEGMENT):
        if file.read(4) != name:
            return None
        first = file.read(1)
        more = 8 - int.from_bytes(first, "big").bit_length()
        mask = (1 << 7 * (more + 1)) - 1
        size = int.from_bytes(first + file.read(more), "big") & mask
        if size == mask:
            return None
        if name == _SEGMENT:
            return file.tell() + size
        file.seek(size, os.SEEK_CUR)
    return None
