"""Read tables of faces (`emotion`, `pixels`, `Usage`) by chunks, and name the row where something is wrong.

Rows are counted from 0, without the line of column names, as everywhere in this package.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

import numpy as np

from fer_core.data.archive_reader import entries
from fer_core.data.face_set import SPLITS, VOTE_COLUMNS, FaceSet, Provenance
from fer_core.data.pixel_text import parse_row, parse_rows
from fer_core.emotions import CSV_LABELS, CSV_TO_INDEX
from fer_core.errors import DataError

# Half a megabyte of text is about 64 rows: the arithmetic on them stays in the processor's cache.
_BLOCK_BYTES = 1 << 19
_BLOCKS_AHEAD = 4
# A row of 2,304 pixels has at most 9,216 characters; a longer line is not a row of this table.
_LONGEST_LINE = 1 << 16

_CODES = {str(code).encode(): code for code in range(len(CSV_LABELS))}
_USAGES = {name.encode(): index for index, name in enumerate(SPLITS)}


class TableKind(Enum):
    """What the first line of a text file promises."""

    FACES = "emotion, pixels and Usage"
    TRAINING_FACES = "emotion and pixels"
    UNLABELLED_FACES = "pixels without emotion"
    VOTES = "FER+ votes"
    OTHER = "something else"


@dataclass(frozen=True)
class _Columns:
    emotion: int
    pixels: int
    usage: int | None


def table_kind(head: bytes) -> TableKind:
    """Tell by its first bytes which table a file holds."""
    names = set(_names(head.split(b"\n", 1)[0]))
    if {column.lower() for column in VOTE_COLUMNS} <= names:
        return TableKind.VOTES
    if "pixels" not in names:
        return TableKind.OTHER
    if "emotion" not in names:
        return TableKind.UNLABELLED_FACES
    return TableKind.FACES if "usage" in names else TableKind.TRAINING_FACES


def read_csv(source: Path, progress: Callable[[int], None] | None = None) -> FaceSet:
    """Read the first table of faces in `source`, plain or compressed, into memory.

    Args:
        source: the table, plain or in a .gz, .xz, .zip or .tar (recognised by content).
        progress: called with the number of rows read so far.

    Returns:
        The faces in the table's row order; labels translated to the project's order.

    Raises:
        DataError: the file is missing, truncated or not such a table; the message names the row.
    """
    last = None
    for entry in entries(source):
        if table_kind(entry.head()) in (TableKind.FACES, TableKind.TRAINING_FACES):
            return read_table(entry.stream, entry.name, progress)
        last = entry.name, entry.head()
    if last is None:
        raise DataError(f"{source} is empty. Expected a table with the columns emotion, pixels, Usage.")
    raise wrong_columns(*last)


def wrong_columns(name: str, head: bytes) -> DataError:
    """Return the error for a file that is not a table of faces."""
    names = _names(head.split(b"\n", 1)[0])
    missing = [column for column in ("emotion", "pixels", "usage") if column not in names]
    shown = ", ".join(column[:20] for column in names[:6] if column.isprintable()) or "nothing legible"
    return DataError(
        f"{name}: expected a table with the columns emotion, pixels, Usage in its first line; "
        f"{', '.join(missing)} is missing, found: {shown}."
    )


def read_table(stream: BinaryIO, name: str, progress: Callable[[int], None] | None = None) -> FaceSet:
    """Read a table of faces from `stream`; without a Usage column all rows are Training.

    Args:
        stream: at its first line.
        name: stands for it in messages.
        progress: called with the number of rows read so far.

    Raises:
        DataError: the table is truncated or wrong; the message names the row.
    """
    parsed: list[tuple[np.ndarray, Sequence[int], Sequence[int]]] = []
    columns, rows, waiting = None, 0, deque()
    # The arithmetic lets go of the interpreter, so parsing runs beside reading and decompressing.
    with ThreadPoolExecutor(2, thread_name_prefix="parse") as pool:
        for lines in _lines(stream, name):
            if columns is None:
                columns = _columns(name, lines.pop(0))
            if not lines:
                continue
            waiting.append(pool.submit(_parse, name, lines, columns, rows))
            rows += len(lines)
            if len(waiting) > _BLOCKS_AHEAD:
                parsed.append(waiting.popleft().result())
            if progress:
                progress(rows)
        parsed += [future.result() for future in waiting]
    if rows == 0:
        raise DataError(f"{name} has no rows. Expected a first line with the columns and one face a row.")
    images, codes, splits = (np.concatenate(parts) for parts in zip(*parsed, strict=True))
    return FaceSet(
        images, np.array(CSV_TO_INDEX)[codes], splits.astype(np.uint8), source=Provenance(name=name, kind="table")
    )


def _lines(stream: BinaryIO, name: str) -> Iterator[list[bytes]]:
    """Yield lists of whole lines without their ends, empty lines left out."""
    rest, count = b"", 0
    while True:
        try:
            block = stream.read(_BLOCK_BYTES)
        except DataError as error:
            raise DataError(f"{error} It breaks after {max(0, count - 1):,} rows.") from error
        lines = (rest + block).split(b"\n")
        rest = lines.pop() if block else b""
        if len(rest) > _LONGEST_LINE:
            raise DataError(
                f"{name}, row {count + len(lines) - 1:,} (counted from 0): expected a line of at most "
                f"{_LONGEST_LINE:,} characters, found a longer one. The file is damaged or no table of faces."
            )
        lines = [line for line in lines if line not in (b"", b"\r")]
        if lines:
            count += len(lines)
            yield lines
        if not block:
            return


def _names(line: bytes) -> list[str]:
    text = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return [name.strip(' \r"').lower() for name in text.split(",")]


def _columns(name: str, line: bytes) -> _Columns:
    names = _names(line)
    if "emotion" not in names or "pixels" not in names:
        raise wrong_columns(name, line)
    return _Columns(names.index("emotion"), names.index("pixels"), names.index("usage") if "usage" in names else None)


def _parse(
    name: str, lines: list[bytes], columns: _Columns, rows_before: int
) -> tuple[np.ndarray, Sequence[int], Sequence[int]]:
    """Turn m lines into images uint8 (m, 48, 48), the table's emotion codes and splits."""
    table = [line.split(b",") for line in lines]
    try:
        codes = [_CODES.get(row[columns.emotion].strip(b' \r"')) for row in table]
        splits = [0 if columns.usage is None else _USAGES.get(row[columns.usage].strip(b' \r"')) for row in table]
        images = parse_rows([row[columns.pixels].strip(b' \r"') for row in table])
    except IndexError:
        images = None
    if images is None or None in codes or None in splits:
        parsed = [
            _parse_line(f"{name}, row {number:,} (counted from 0)", row, columns)
            for number, row in enumerate(table, rows_before)
        ]
        images, codes, splits = zip(*parsed, strict=True)
        images = np.stack(images)
    return images, codes, splits


def _parse_line(where: str, row: list[bytes], columns: _Columns) -> tuple[np.ndarray, int, int]:
    """Parse one line at leisure, and raise a DataError that begins with `where` if it is wrong."""
    wanted = [column for column in (columns.emotion, columns.pixels, columns.usage) if column is not None]
    if len(row) <= max(wanted):
        raise DataError(
            f"{where}: expected {max(wanted) + 1} columns or more, found {len(row)}. "
            "The file may be truncated: copy or download it again."
        )
    words = [field.strip(b' \r"') for field in row]
    code, usage = words[columns.emotion], words[columns.usage] if columns.usage is not None else b"Training"
    if code not in _CODES:
        raise DataError(f"{where}: expected an emotion from 0 to {len(CSV_LABELS) - 1}, found {_shown(code)}.")
    if usage not in _USAGES:
        raise DataError(f"{where}: expected Usage to be one of {', '.join(SPLITS)}, found {_shown(usage)}.")
    try:
        return parse_row(words[columns.pixels].decode("utf-8", "replace")), _CODES[code], _USAGES[usage]
    except ValueError as error:
        raise DataError(f"{where}: {error}.") from error


def _shown(word: bytes) -> str:
    return repr(word[:20].decode("utf-8", "replace"))
