"""What is to be analysed, as people name it: files, folders, patterns, archives and the standard input."""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from fer_core.background.launch import plain_name
from fer_core.data.archive_reader import entries
from fer_core.errors import DataError, MediaError
from fer_core.imaging.images import FORMATS

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif")
VIDEOS = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"),
    *(".wmv", ".mts", ".m2ts", ".ts", ".3gp", ".flv", ".ogv", ".gif"),
)
ARCHIVE = ".zip"
STDIN = Path("-")
# Of one archive. Reading it is bounded besides, by how much it may unpack to.
MAX_ARCHIVE_FILES, MAX_ARCHIVE_BYTES = 2000, 1 << 30

_PATTERN = "*?["


def is_remote(file: Path | str) -> bool:
    """Return whether a file is named by a URL, such as https://example.org/a.mp4."""
    return "://" in str(file)


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture by its name, not a video."""
    return path.suffix.lower() in PICTURES


def find_media(paths: Sequence[Path], recursive: bool = False) -> list[Path]:
    """Return the files, and in place of each folder or pattern the pictures and videos in it, by name.

    Args:
        paths: files, folders, patterns such as `photos/*.jpg`, and `-` for the standard input.
        recursive: whether folders in folders are looked into too; hidden ones are not.

    Raises:
        MediaError: one of them is not there, or a folder holds neither.
    """
    media: list[Path] = []
    for path in paths:
        if path == STDIN or path.is_file():
            media.append(path)
        elif path.is_dir():
            media += _in_folder(path, recursive)
        elif matches := _matching(path):
            media += find_media(matches, recursive)
        else:
            raise MediaError(f"{path} is not there. Name pictures, videos or folders of them.")
    return list(dict.fromkeys(media))


def _in_folder(folder: Path, recursive: bool) -> list[Path]:
    files = sorted(
        file
        for file in (folder.rglob("*") if recursive else folder.iterdir())
        if file.suffix.lower() in PICTURES + VIDEOS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not files:
        remedy = "" if recursive else ", look into the folders in it with --recursive,"
        raise MediaError(
            f"{folder} holds no picture and no video: expected files that end in "
            f"{', '.join((*PICTURES, *VIDEOS))}. Name another folder{remedy} or the files themselves."
        )
    return files


def _matching(path: Path) -> list[Path]:
    """Return what a pattern stands for, where the shell left it as it was."""
    if not any(sign in str(path) for sign in _PATTERN):
        return []
    return [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]


@contextmanager
def open_media(paths: Sequence[Path], stdin: BinaryIO) -> Iterator[tuple[dict[str, Path], list[dict[str, Any]]]]:
    """Yield what each picture and video is called in the table, to where it lies while the block runs.

    Archives are unpacked to a temporary folder; those that cannot be are yielded as outcomes with an `error`, as
    `analyze_files` returns them.

    Args:
        paths: as `find_media` returns them.
        stdin: read to its end where a path is `-`.

    Raises:
        MediaError: the standard input is empty.
    """
    with tempfile.TemporaryDirectory(prefix="fer-media-") as folder:
        media: dict[str, Path] = {}
        errors: list[dict[str, Any]] = []
        for number, path in enumerate(paths):
            if path == STDIN:
                media["-"] = _keep(stdin, Path(folder))
            elif path.suffix.lower() != ARCHIVE:
                media[str(path)] = path
            else:
                try:
                    media |= unpack(path, str(path), Path(folder), f"{number}-")
                except MediaError as error:
                    errors.append({"file": str(path), "frames": 0, "error": str(error)})
        yield media, errors


def _keep(stream: BinaryIO, folder: Path) -> Path:
    """Write a stream to a file whose name tells a picture from a video."""
    path = folder / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file)
    if not path.stat().st_size:
        raise MediaError("The standard input is empty: expected a picture or a video.")
    try:
        with Image.open(path, formats=FORMATS):
            return path.rename(path.with_suffix(PICTURES[0]))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return path  # opening it as a video says what is wrong


def unpack(archive: Path, name: str, folder: Path, prefix: str = "") -> Mapping[str, Path]:
    """Write the pictures and videos of an archive to a folder, under names of their own.

    Args:
        archive: a .zip file.
        name: what it is called in the table.
        folder: gets the files.
        prefix: of their names.

    Returns:
        What each is called in the table, such as "photos.zip/a/b.jpg", to where it lies.

    Raises:
        MediaError: it is damaged, holds too much or neither pictures nor videos.
    """
    media: dict[str, Path] = {}
    size = 0
    try:
        for entry in entries(archive):
            if Path(entry.name).suffix.lower() not in PICTURES + VIDEOS:
                continue
            if len(media) >= MAX_ARCHIVE_FILES:
                raise MediaError(
                    f"{name} holds more than {MAX_ARCHIVE_FILES:,} pictures and videos. Split it into several archives."
                )
            path = folder / f"{prefix}{len(media):04}-{plain_name(entry.name)}"
            size = _write(entry.stream, path, size, name)
            media[f"{name}/{entry.name}"] = path
    except DataError as error:
        raise MediaError(str(error).replace(archive.name, name)) from error  # as its owner knows it
    if not media:
        raise MediaError(f"{name} holds no picture and no video. Choose another archive.")
    return media


def _write(stream: BinaryIO, path: Path, before: int, name: str) -> int:
    """Write a file of an archive of which so many bytes were written before; return how many now are."""
    with path.open("wb") as file:
        while block := stream.read(1 << 20):
            before += len(block)
            if before > MAX_ARCHIVE_BYTES:
                raise MediaError(
                    f"{name} holds more than {MAX_ARCHIVE_BYTES / 1e9:.1f} GB of pictures and videos. "
                    "Split it into several archives."
                )
            file.write(block)
    return before
