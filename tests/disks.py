"""Disks that fill up, for tests."""

import errno
from typing import BinaryIO


class SmallDisk:
    """A file on a disk with little room."""

    def __init__(self, file: BinaryIO, room: int) -> None:
        self._file, self._room = file, room

    def write(self, data: bytes) -> int:
        if len(data) > self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._room -= len(data)
        return self._file.write(data)

    def fileno(self) -> int:
        return self._file.fileno()
