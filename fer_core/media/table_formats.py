"""The file formats of a table of faces, by the ending of its name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

import pandas as pd

from fer_core.dependencies import INSTALL_EXCEL, require_package
from fer_core.errors import MediaError
from fer_core.files import atomic_path
from fer_core.recognition.table import read_table, read_table_in_chunks


def _json(rows: pd.DataFrame, path: Path) -> None:
    rows.to_json(path, orient="records", indent=1, force_ascii=False)


def _json_lines(rows: pd.DataFrame, path: Path) -> None:
    rows.to_json(path, orient="records", lines=True, force_ascii=False)


def _parquet(rows: pd.DataFrame, path: Path) -> None:
    rows.to_parquet(path, index=False)


def _parquet_in_chunks(csv: IO[bytes], path: Path) -> None:
    """Write rows as they are read; a column's type is that of its name, so every chunk has the same."""
    import pyarrow
    import pyarrow.parquet

    writer = None
    try:
        for rows in read_table_in_chunks(csv, _CHUNK_ROWS):
            table = pyarrow.Table.from_pandas(_with_booleans(rows), writer and writer.schema, preserve_index=False)
            writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _excel(rows: pd.DataFrame, path: Path) -> None:
    if len(rows) >= _EXCEL_ROWS:
        raise MediaError(
            f"Excel takes {_EXCEL_ROWS - 1:,} rows at most, and the table has {len(rows):,}. Choose .csv or .parquet."
        )
    rows.to_excel(path, sheet_name="Faces", index=False, freeze_panes=(1, 0), engine="openpyxl")


# CSV is written row by row; these are made of the whole table at the end.
_WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = MappingProxyType(
    {".json": _json, ".jsonl": _json_lines, ".parquet": _parquet, ".xlsx": _excel}
)
_EXCEL_ROWS = 1 << 20  # the head among them
_CHUNK_ROWS = 50_000
FORMATS = (".csv", *_WRITERS)


def require_format(path: Path) -> None:
    """Check that a table can be written to a file of this name.

    Raises:
        MediaError: its ending is none of `FORMATS`.
        DependencyError: the package that writes the format is not installed.
    """
    if path.suffix.lower() not in FORMATS:
        raise MediaError(f"A table ends in {', '.join(FORMATS)}; got {path.name}. Choose one of these endings.")
    if path.suffix.lower() == ".xlsx":
        require_package("openpyxl", "Writing an Excel file", INSTALL_EXCEL)


def is_csv(path: Path) -> bool:
    """Return whether a table of this name is written row by row."""
    return path.suffix.lower() == ".csv"


def write_table(csv: bytes | IO[bytes], path: Path) -> None:
    """Write a table to a file in the format its name ends in.

    Args:
        csv: what a `Table` or `classify_files` wrote. Of a file, rows become Parquet as they are read.
        path: file to write, atomically; one that is there is replaced.

    Raises:
        MediaError: the table is too long for the format.
    """
    with atomic_path(path) as partial:
        if not isinstance(csv, bytes) and path.suffix.lower() == ".parquet":
            _parquet_in_chunks(csv, partial)
        else:
            content = csv if isinstance(csv, bytes) else csv.read()
            _WRITERS[path.suffix.lower()](_with_booleans(read_table(content)), partial)


def table_bytes(csv: bytes, suffix: str) -> bytes:
    """Return a table as the content of a file whose name ends in `suffix`; otherwise as `write_table`."""
    with tempfile.TemporaryDirectory(prefix="fer-table-") as folder:
        path = Path(folder) / f"table{suffix}"
        write_table(csv, path)
        return path.read_bytes()


def _with_booleans(rows: pd.DataFrame) -> pd.DataFrame:
    for name in {"uncertain", "valid"} & set(rows.columns):
        rows[name] = rows[name].map({"yes": True, "no": False}).astype("boolean")
    return rows
