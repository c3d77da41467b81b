"""Tables of faces: all their dialects, and errors that name the row."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.csv_reader import read_csv
from fer_core.data.face_set import FaceSet
from fer_core.errors import DataError
from tests.data.forms import COMPRESSORS, PACKERS, csv_table


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "columns",
    [
        ("emotion", "pixels", "Usage"),
        ("emotion", " Usage", " pixels"),
        ("Usage", "pixels", "emotion"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_columns_are_found_by_name(columns: tuple[str, ...], line_end: str, faces: FaceSet, tmp_path: Path) -> None:
    read = read_csv(written(tmp_path / "table", csv_table(faces, columns, line_end)))
    np.testing.assert_array_equal(read.images, faces.images)
    assert read.hash == faces.hash and read.labels.dtype == np.int64


def test_without_usage_all_rows_are_training(faces: FaceSet, tmp_path: Path) -> None:
    read = read_csv(written(tmp_path / "train.csv", csv_table(faces, ("emotion", "pixels"))))
    assert read.splits == ("Training",) and len(read) == 300


@pytest.mark.parametrize("compression", COMPRESSORS)
def test_compression_is_recognised_by_content(compression: str, faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    path = written(tmp_path / "data.bin", COMPRESSORS[compression](table))
    assert read_csv(path).hash == faces.hash


@pytest.mark.parametrize("packing", PACKERS)
def test_a_table_is_found_in_an_archive(packing: str, faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    files = {"fer2013/README": b"read me", "fer2013/fer2013.csv": table}
    assert read_csv(written(tmp_path / "data.bin", PACKERS[packing](files))).hash == faces.hash


def test_quotes_byte_order_mark_and_no_last_line_end_do_no_harm(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    lines = table.decode().splitlines()
    quoted = [",".join(f'"{field}"' for field in line.split(",")) for line in lines]
    read = read_csv(written(tmp_path / "table.csv", b"\xef\xbb\xbf" + "\n".join(quoted).encode()))
    assert read.hash == faces.hash


def test_odd_white_space_goes_the_slow_way_to_the_same_end(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    table = table.replace(b" ", b"\t", 5) + b"\n\n"
    assert read_csv(written(tmp_path / "table.csv", table)).hash == faces.hash


def test_progress_counts_the_rows(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    seen: list[int] = []
    read_csv(written(tmp_path / "table.csv", table), seen.append)
    assert seen == sorted(seen) and seen[-1] == 300


def _row(table: bytes, number: int, old: str, new: str) -> bytes:
    lines = table.decode().split("\n")
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new, 1)
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("breaks", "words"),
    [
        (lambda table: _row(table, 0, "emotion", "feeling"), "emotion is missing, found: feeling, pixels, usage"),
        (lambda table: _row(table, 0, "pixels", "pixel"), "pixels is missing"),
        (lambda table: _row(table, 17, " ", ""), "row 16 .*: expected 2,304 pixels, found 2,303"),
        (
            lambda table: _row(table, 17, ",Tr", " 9,Tr"),
            "row 16 .*: expected 2,304 pixels, found 2,305",
        ),
        (
            lambda table: _row(table, 17, ",Tr", "6,Tr"),
            "row 16 .*: expected pixels from 0 to 255, found '776' at pixel 2303",
        ),
        (lambda table: _row(table, 17, ",Tr", "x,Tr"), "row 16 .*: expected pixels from 0 to 255"),
        (
            lambda table: _row(table, 17, ",Training", ""),
            "row 16 .*: expected 3 columns or more, found 2",
        ),
        (
            lambda table: _row(table, 17, "Training", "training"),
            "row 16 .*: expected Usage to be one of",
        ),
        (
            lambda table: _row(table, 17, "0,", "7,"),
            "row 16 .*: expected an emotion from 0 to 6, found '7'",
        ),
        (
            lambda table: table[:-3000],
            "row 99 .*: expected 3 columns or more, found 2. The file may be truncated",
        ),
        (lambda table: table.split(b"\n")[0], "has no rows"),
        (lambda table: table.replace(b"\n", b" "), "longer one|no rows"),
        (lambda table: b"", "emotion, pixels, usage is missing, found: nothing legible"),
        (lambda table: bytes(range(256)) * 2000, "is missing"),
        (lambda table: table.decode().encode("utf-16"), "is missing, found: nothing legible"),
    ],
)
def test_broken_tables_name_the_row(breaks, words: str, tmp_path: Path) -> None:
    plain = FaceSet(np.full((100, 48, 48), 77, np.uint8), np.zeros(100, np.int64), np.zeros(100, np.uint8))
    with pytest.raises(DataError, match=words):
        read_csv(written(tmp_path / "fer2013.csv", breaks(csv_table(plain))))


@pytest.mark.parametrize(
    ("breaks", "words"),
    [
        (lambda packed: packed[:-5000], r"ends too early.*It breaks after \d+ rows"),
        (lambda packed: packed[:50_000] + b"x" * 10 + packed[50_010:], r"is broken|row \d+"),
    ],
)
def test_broken_compression_is_an_error(breaks, words: str, table: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        read_csv(written(tmp_path / "fer2013.csv.gz", breaks(gzip.compress(table, 1))))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        read_csv(tmp_path / "fer2013.csv")
