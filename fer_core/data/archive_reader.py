"""Look into a file, folder or archive without ever unpacking to disk, within limits, file by file.

A file is recognised by its first bytes, never by its name. Nothing is extracted, so nothing can
climb out; links and climbing names are refused all the same, since an archive that has them is not
what it claims to be.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fer_core.errors import DataError

# FER-2013 has 301 MB as a table; five times as many faces still fit.
MAX_BYTES = 2 << 30
# fer2013.csv shrinks to a quarter; a file that grows this much is made to fill the memory.
MAX_RATIO = 200
_RATIO_COUNTS_FROM = 32 << 20
MAX_FILES = 1_000_000
_MAX_DEPTH = 4

_BUFFER = 1 << 16
_BROKEN = (
    EOFError,
    lzma.LZMAError,
    zlib.error,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    tarfile.TarError,
    # From zipfile: a name is not the UTF-8 it claims to be, or there is no way to decompress or decrypt.
    UnicodeDecodeError,
    NotImplementedError,
    RuntimeError,
)


_DECOMPRESSORS: Mapping[str, Callable[[BinaryIO], gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File]] = {
    "gz": lambda reader: gzip.GzipFile(fileobj=reader),
    "xz": lzma.LZMAFile,
    "bz2": bz2.BZ2File,
}


@dataclass(frozen=True)
class Entry:
    """One plain file inside a source.

    Attributes:
        name: path inside the source with forward slashes, or the source's own file name.
        stream: its content; can be read until the next entry is asked for, and `peek`ed at.
        position: returns how many bytes of the source have been used so far.
        total: size of the source in bytes.
    """

    name: str
    stream: io.BufferedReader
    position: Callable[[], int]
    total: int

    def head(self) -> bytes:
        """Return the first bytes, up to 64 KB, without consuming them."""
        return self.stream.peek(_BUFFER)


def entries(source: Path) -> Iterator[Entry]:
    """Walk over the plain files of a file, folder or archive; compressed ones are decompressed on the way.

    .zip, .tar, .gz, .xz and .bz2 are opened wherever they are met, also inside each other. Hidden files and
    the folders that macOS adds to archives are passed over.

    Raises:
        DataError: the source is missing, broken or too large, or holds links or names that climb out.
    """
    with _reading(source):
        is_folder, is_file = source.is_dir(), source.is_file()
    if is_folder:
        yield from _folder(source)
    elif is_file:
        total = source.stat().st_size
        with _reading(source), source.open("rb", buffering=_BUFFER) as raw:
            yield from _file(source.name, raw, raw.tell, total)
    else:
        raise DataError(
            f"{source} is not there. Expected fer2013.csv, a folder with train and test, or an archive "
            "of either. Check the path."
        )


def _folder(source: Path) -> Iterator[Entry]:
    files = []
    for file in _files_below(str(source), ""):
        files.append(file)
        _check_count(str(source), len(files))
    total, done = sum(size for _, size in files), 0
    for name, size in files:
        path = os.path.join(source, name)
        with _reading(path), open(path, "rb", buffering=_BUFFER) as raw:
            yield from _file(_in_unicode(name), raw, lambda before=done: before + raw.tell(), total)
        done += size


def _files_below(source: str, folder: str) -> Iterator[tuple[str, int]]:
    """Yield name and size of each file, those of a folder before those of its sub-folders."""
    # Text and not Path: with the 35,887 images of a tree, making and joining paths costs more than reading.
    with _reading(os.path.join(source, folder)), os.scandir(os.path.join(source, folder)) as found:
        children = sorted(
            (child for child in found if not _passed_over(child.name)), key=lambda child: (child.is_dir(), child.name)
        )
    for child in children:
        name = f"{folder}/{child.name}" if folder else child.name
        if child.is_symlink():
            raise DataError(
                f"{child.path} is a link. Expected plain files and folders; put the files themselves "
                "there, or name the folder that the link points to."
            )
        if child.is_dir():
            yield from _files_below(source, name)
        elif child.is_file():
            yield name, child.stat().st_size


def _file(name: str, raw: BinaryIO, position: Callable[[], int], total: int) -> Iterator[Entry]:
    budget = _Budget(name, packed=os.fstat(raw.fileno()).st_size)
    if budget.packed > MAX_BYTES:
        raise DataError(
            f"{name} has {budget.packed / 1e9:.1f} GB; expected at most {MAX_BYTES / 1e9:.1f} GB (the "
            "whole of FER-2013 has 0.3 GB). Choose the data set's own file."
        )
    for inner, stream in _open(name, raw, budget, depth=0):
        yield Entry(inner, stream, position, total)


class _Budget:
    """How much one file may unpack to, all that is in it taken together."""

    def __init__(self, name: str, packed: int) -> None:
        self.name, self.packed, self.used, self.files = name, packed, 0, 0

    def spend(self, count: int) -> None:
        self.used += count
        if self.used > MAX_BYTES:
            raise DataError(
                f"{self.name} unpacks to more than {MAX_BYTES / 1e9:.1f} GB (the whole of FER-2013 has "
                "0.3 GB), so it was not read further. Choose the data set's own file."
            )
        if self.used > max(_RATIO_COUNTS_FROM, self.packed * MAX_RATIO):
            raise DataError(
                f"{self.name} unpacks to more than {MAX_RATIO} times its size, as no set of photographs "
                "does, so it was not read further. Download it again from a source you trust."
            )

    def add_file(self) -> None:
        self.files += 1
        _check_count(self.name, self.files)


class _Unpacked(io.RawIOBase):
    """A stream inside an archive that keeps to the budget and says in words that it is broken."""

    def __init__(self, name: str, inner: BinaryIO, budget: _Budget | None) -> None:
        super().__init__()
        self._name, self._inner, self._budget, self._done = name, inner, budget, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        view, filled = memoryview(buffer), 0
        while filled < len(view):  # decompressors may give little at a time, and `peek` reads but once
            try:
                count = self._inner.readinto(view[filled:])
            except (*_BROKEN, OSError) as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise  # of the disk; a broken .bz2 has no number
                raise DataError(
                    f"{self._name} is broken or ends too early, {self._done + filled:,} bytes after its "
                    f"start ({error}). Copy or download it again."
                ) from error
            if not count:
                break
            filled += count
            if self._budget:
                self._budget.spend(count)
        self._done += filled
        return filled


def _open(name: str, stream: BinaryIO, budget: _Budget, depth: int) -> Iterator[tuple[str, io.BufferedReader]]:
    """Yield the plain files in `stream`, or itself if it is one."""
    reader = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream, _BUFFER)
    head = reader.peek(512)
    kind = _kind(head)
    if kind and depth == _MAX_DEPTH:
        raise DataError(
            f"{budget.name} holds archives inside archives, more than {_MAX_DEPTH} deep, at {name}. "
            "Unpack it and choose the data set's own file."
        )
    if kind == "zip":
        yield from _zip(name, reader, budget, depth)
    elif kind == "tar":
        yield from _tar(name, reader, budget, depth)
    elif kind:
        with _DECOMPRESSORS[kind](reader) as inner:
            unpacked = io.BufferedReader(_Unpacked(name, inner, budget), _BUFFER)
            yield from _open(name.removesuffix(f".{kind}"), unpacked, budget, depth + 1)
    else:
        yield name, reader


def unreadable_archive(head: bytes) -> bool:
    """Tell by its first bytes whether a file is an archive of a kind that is not read: 7z or RAR."""
    return head.startswith((b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"))


def _kind(head: bytes) -> str | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if re.match(rb"BZh[1-9]1AY&SY", head):
        return "bz2"
    return "tar" if head[257:262] == b"ustar" else None


def _zip(name: str, reader: BinaryIO, budget: _Budget, depth: int) -> Iterator[tuple[str, io.BufferedReader]]:
    with _seekable(reader) as file, _unbroken(name):
        yield from _members(name, file, budget, depth)


def _members(name: str, file: BinaryIO, budget: _Budget, depth: int) -> Iterator[tuple[str, io.BufferedReader]]:
    # Opening an archive reads all names at once, a few dozen bytes each; how many there are is told before only here.
    if end := zipfile._EndRecData(file):
        _check_count(name, end[zipfile._ECD_SIZE] // zipfile.sizeCentralDir)
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            inner = _member_name(name, member.filename, is_link=stat.S_ISLNK(member.external_attr >> 16))
            budget.add_file()
            if member.is_dir() or inner is None:
                continue
            with archive.open(member) as packed:
                stream = _Unpacked(f"{name}, {inner}", packed, budget)
                yield from _open(inner, io.BufferedReader(stream, _BUFFER), budget, depth + 1)


class _WholeMember(tarfile.TarInfo):
    """A member of a tar whose header is whole; `tarfile` takes a broken one for the archive's end, and says nothing."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:
        try:
            return super().fromtarfile(archive)
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError, tarfile.InvalidHeaderError) as error:
            raise tarfile.ReadError(str(error)) from error


def _tar(name: str, reader: BinaryIO, budget: _Budget, depth: int) -> Iterator[tuple[str, io.BufferedReader]]:
    with _unbroken(name), tarfile.open(fileobj=reader, mode="r|", tarinfo=_WholeMember) as archive:
        for member in archive:
            # A sparse file can claim a terabyte of zeros that no byte of the archive pays for.
            plain = member.isdir() or (member.isfile() and not member.issparse())
            inner = _member_name(name, member.name, is_link=not plain)
            budget.add_file()
            if member.isdir() or inner is None:
                continue
            # A tar is not compressed in itself: its bytes were counted when they came out of the layer around it.
            stream = _Unpacked(f"{name}, {inner}", archive.extractfile(member), budget=None)
            yield from _open(inner, io.BufferedReader(stream, _BUFFER), budget, depth + 1)


@contextmanager
def _seekable(reader: BinaryIO) -> Iterator[BinaryIO]:
    """Yield `reader`, or a temporary copy of it if it is itself inside an archive: zip files end with their index."""
    if reader.seekable():
        yield reader
        return
    with tempfile.TemporaryFile() as copy:
        while block := reader.read(_BUFFER):
            copy.write(block)
        copy.seek(0)
        yield copy


@contextmanager
def _unbroken(name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise DataError(
            f"{name} is broken or cannot be unpacked ({error}). Copy or download it again; an archive "
            "with a password must be unpacked first."
        ) from error


@contextmanager
def _reading(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _member_name(archive: str, name: str, is_link: bool) -> str | None:
    """Return the cleaned name of a member, or None if it is to be passed over."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise DataError(
            f"{archive} holds {name!r}, a name that leads out of the archive. Do not unpack it; "
            "download the data set from a source you trust."
        )
    if is_link:
        raise DataError(
            f"{archive} holds {name!r}, which is a link, a device or a sparse file. Expected plain files "
            "and folders; pack the files themselves."
        )
    return None if any(_passed_over(part) for part in path.parts) else _in_unicode(str(path))


def _in_unicode(name: str) -> str:
    # Bytes of a name in another encoding come as surrogates, which no file in UTF-8 can hold.
    return name.encode("utf-8", "replace").decode()


def _passed_over(part: str) -> bool:
    return part.startswith(".") or part == "__MACOSX"


def _check_count(name: str, count: int) -> None:
    if count > MAX_FILES:
        raise DataError(f"{name} holds more than {MAX_FILES:,} files. Choose the data set's own folder or archive.")
