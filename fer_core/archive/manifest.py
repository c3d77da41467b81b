"""The manifest of an archive: which files are done, which failed and why, which wait.

It is a file of JSON Lines. What changes is appended, so that an archive of many files costs no more for each, and a
killed process leaves at most half a line. Of several lines for one file the last counts; the next start leaves one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fer_core.archive.source import Entry, Signature
from fer_core.errors import ArchiveError
from fer_core.files import write_text


def read_manifest(path: Path) -> dict[str, Entry]:
    """Return the entries of a manifest by the names of their files, in the order in which these were named first.

    Args:
        path: of the manifest; it need not exist. A half-written last line is left out.

    Raises:
        ArchiveError: it is no manifest.
    """
    if not path.exists():
        return {}
    content = path.read_bytes()
    lines = content[: content.rfind(b"\n") + 1].decode().splitlines()
    try:
        entries = [_entry(json.loads(line)) for line in lines]
    except (ValueError, TypeError, KeyError) as error:
        raise ArchiveError(
            f"{path} is no manifest, or is damaged ({error}). Choose another folder, or restore the file."
        ) from error
    return {entry.file: entry for entry in entries}


class ManifestWriter:
    """Replaces a manifest with one line a file, then appends what changes.

    Raises:
        ArchiveError: it cannot be written, here and in `write`.
    """

    def __init__(self, path: Path, entries: Iterable[Entry]) -> None:
        self._path = path
        with self._writing():
            write_text(path, "".join(map(_line, entries)))
            self._file = path.open("a", encoding="utf-8")

    def write(self, entry: Entry) -> None:
        """Append the new state of a file, and wait until it is on the disk."""
        with self._writing():
            self._file.write(_line(entry))
            self._file.flush()
            os.fsync(self._file.fileno())

    @contextmanager
    def _writing(self) -> Generator[None, None, None]:
        try:
            yield
        except OSError as error:
            raise ArchiveError(
                f"{self._path} cannot be written: {error.strerror}. Mend that, and start again: what is done stays "
                "done."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written was reported
            self._file.close()


def _line(entry: Entry) -> str:
    fields = asdict(entry)
    signature = fields.pop("signature") or dict.fromkeys(("size_bytes", "modified_ns"))
    return json.dumps({"file": fields.pop("file"), "state": fields.pop("state"), **signature, **fields}) + "\n"


def _entry(fields: dict[str, Any]) -> Entry:
    size_bytes, modified_ns = fields.pop("size_bytes"), fields.pop("modified_ns")
    signature = None if size_bytes is None else Signature(size_bytes, modified_ns)
    return Entry(signature=signature, **fields)
