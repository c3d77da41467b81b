"""Files of an archive that lie elsewhere: named by a URL, looked at and fetched by fsspec, one at a time.

Whoever analyses such a file fetches it for as long as that takes, so it needs room for one file and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from fer_core.archive.source import Signature, signature_of
from fer_core.dependencies import INSTALL_REMOTE, require_package
from fer_core.errors import DependencyError, MediaError
from fer_core.media.command import DISK_FULL
from fer_core.media.sources import find_media, is_remote

_S3 = "s3://"
# What tells a changed file where it lies, the first that is known.
_TAGS = ("ETag", "Content-MD5", "Digest", "mtime", "LastModified", "Last-Modified", "created")


def find_sources(files: Sequence[Path | str], recursive: bool = False) -> list[str]:
    """Return the names of the files, and in place of each folder or pattern of those in it; URLs stay as they are.

    Args:
        files: as `find_media` takes them, and URLs, in which `*` stands for names where the other side lists them.
        recursive: whether folders in folders are looked into too.

    Raises:
        DependencyError: what reaches a URL is not installed.
        MediaError: one of them is not there.
    """
    names: list[str] = []
    for file in files:
        names += _matching(file) if is_remote(file) else map(str, find_media([Path(file)], recursive))
    return list(dict.fromkeys(names))


def place_of(file: str) -> Path | str:
    """Return where a file lies, for any process: its absolute path, or its URL."""
    return file if is_remote(file) else Path(file).absolute()


def signature_at(place: Path | str) -> Signature | None:
    """Return the signature of a file here or elsewhere; None if it cannot be looked at."""
    if not is_remote(place):
        return signature_of(Path(place))
    filesystem, path = _opened(str(place))
    try:
        about = filesystem.info(path)
    except _errors():
        return None
    tag = next((str(about[name]) for name in _TAGS if about.get(name)), "")
    # In place of a time, which servers write in many ways: another number when the tag is another.
    digest = int.from_bytes(hashlib.sha256(tag.encode()).digest()[:6])
    return Signature(int(about.get("size") or 0), digest)


@contextmanager
def at_hand(place: Path | str) -> Generator[Path, None, None]:
    """Yield the path of a file, fetched while the block runs if it lies elsewhere.

    Raises:
        MediaError: it cannot be fetched.
        OSError: the disk is full.
    """
    if not is_remote(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="fer-remote-") as folder:
        path = Path(folder) / _name_of(str(place))
        filesystem, there = _opened(str(place))
        try:
            filesystem.get_file(there, str(path))
        except _errors() as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise
            raise MediaError(f"{place} cannot be fetched: {error or type(error).__name__}.") from error
        yield path


def _name_of(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name or "file"


def _matching(url: str | Path) -> list[str]:
    filesystem, path = _opened(str(url))
    if "*" not in path:
        return [str(url)]
    try:
        found = [filesystem.unstrip_protocol(name) for name in sorted(filesystem.glob(path))]
    except _errors() as error:
        raise MediaError(f"{url} cannot be looked up: {error or type(error).__name__}.") from error
    if not found:
        raise MediaError(f"{url} matches no file. Name pictures and videos, or another pattern.")
    return found


def _opened(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and what the file is called there."""
    require_package("fsspec", "Reading files by their URL", INSTALL_REMOTE)
    from fsspec.core import url_to_fs

    try:
        if url.startswith(_S3):
            return _s3_of(url.removeprefix(_S3).split("/")[0]), url.removeprefix(_S3)
        return url_to_fs(url)
    except ImportError as error:
        raise DependencyError(f"{url} cannot be reached: {error}. For http and https: {INSTALL_REMOTE}") from error
    except ValueError as error:
        raise MediaError(f"{url} cannot be reached: {error}. Expected a path, or a URL such as https://….") from error


@lru_cache(maxsize=16)
def _s3_of(bucket: str) -> Any:
    """Return the file system of a bucket, by the client in PyArrow, which is there for Parquet anyway.

    Keys come from where all programs for AWS look for them. Servers other than Amazon's are named by AWS_ENDPOINT_URL.
    """
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import S3FileSystem, resolve_s3_region

    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not endpoint and not region:
        with suppress(OSError):  # told by what is done with it later
            region = resolve_s3_region(bucket)
    return ArrowFSWrapper(S3FileSystem(endpoint_override=endpoint, region=region))


def _errors() -> tuple[type[Exception], ...]:
    """Return what file systems raise where a file cannot be reached."""
    try:
        from aiohttp import ClientError
    except ImportError:
        return OSError, ValueError
    return OSError, ValueError, ClientError
