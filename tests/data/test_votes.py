"""FER+ votes are joined by row, never by the number in the image name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.face_set import FaceSet
from fer_core.data.splits import with_validation
from fer_core.data.votes import has_votes, join_votes, majority_column, read_votes, unique_majority
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from tests.data.forms import COMPRESSORS, votes_table


def write_votes(path: Path, faces: FaceSet, order: np.ndarray | None = None) -> Path:
    path.write_bytes(votes_table(faces, order))
    return path


def test_row_i_of_the_votes_belongs_to_row_i_of_the_faces(faces: FaceSet, tmp_path: Path) -> None:
    joined = join_votes(faces, read_votes(write_votes(tmp_path / "votes.csv", faces)))
    np.testing.assert_array_equal(unique_majority(joined.votes), faces.labels)
    assert joined.votes.dtype == np.uint8 and joined.hash == faces.hash


def test_faces_held_out_for_validation_keep_their_row(faces: FaceSet, tmp_path: Path) -> None:
    held_out = with_validation(faces)
    joined = join_votes(held_out, read_votes(write_votes(tmp_path / "votes.csv", faces)))
    np.testing.assert_array_equal(unique_majority(joined.votes), faces.labels)


def test_a_tie_is_no_majority() -> None:
    votes = np.zeros((4, 10), np.uint8)
    votes[0, [0, 3]] = 5  # neutral and sadness
    votes[1, [3, 4]] = 5  # sadness and anger
    votes[2, [6, 9]] = 5  # fear and NF
    votes[3, 9] = 10
    assert [LABELS[i] if i >= 0 else None for i in unique_majority(votes)] == [None, None, None, None]


def test_rows_without_an_image_name_were_not_voted_on(faces: FaceSet, tmp_path: Path) -> None:
    lines = votes_table(faces).decode().splitlines()
    usage = lines[1].split(",")[0]
    lines[1] = f"{usage},,{','.join('0' for _ in range(9))},10"
    lines[2] = f"{usage},fer1.png,{','.join('0' for _ in range(9))},10"
    (tmp_path / "votes.csv").write_text("\n".join(lines))
    counts = read_votes(tmp_path / "votes.csv").counts
    assert not counts[0].any() and counts[1, 9] == 10
    assert has_votes(counts[:2]).tolist() == [False, True]


@pytest.mark.parametrize("pair", [(0, 3), (3, 4), (6, 9)])
def test_no_column_leads_in_a_tie(pair: tuple[int, int]) -> None:
    votes = np.zeros((1, 10), np.uint8)
    votes[0, list(pair)] = 5
    assert majority_column(votes).tolist() == [-1]


def test_votes_of_another_length_are_refused(faces: FaceSet, tmp_path: Path) -> None:
    votes = read_votes(write_votes(tmp_path / "votes.csv", faces, np.arange(299)))
    with pytest.raises(DataError, match="299 rows and the data set 300"):
        join_votes(faces, votes)


def test_votes_whose_usage_differs_are_refused(faces: FaceSet, tmp_path: Path) -> None:
    votes = read_votes(write_votes(tmp_path / "votes.csv", faces, np.arange(300)[::-1]))
    with pytest.raises(DataError, match="Row 0 .* is Training in the data set and PrivateTest"):
        join_votes(faces, votes)


def test_votes_in_another_order_are_refused(faces: FaceSet, tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(240)
    votes = read_votes(write_votes(tmp_path / "votes.csv", faces, np.concatenate([order, np.arange(240, 300)])))
    shuffled = dataclasses.replace(faces, labels=np.roll(faces.labels, 1))
    with pytest.raises(DataError, match="not in the same order"):
        join_votes(shuffled, votes)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("surprise,", "", "holds no FER\\+ votes"),
        ("Training,fer0000299.png,0", "Training,fer0000299.png,many", "row 1 "),
        ("Training,fer0000299.png,0", "Training,fer0000299.png,256", "row 1 "),
        ("Training,fer0000299", "Exam,fer0000299", "row 1 "),
    ],
)
def test_broken_tables_name_the_row(old: str, new: str, words: str, faces: FaceSet, tmp_path: Path) -> None:
    path = write_votes(tmp_path / "votes.csv", faces)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=words):
        read_votes(path)


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        read_votes(tmp_path / "votes.csv")


@pytest.mark.parametrize("compression", COMPRESSORS)
def test_compressed_tables_are_read(compression: str, faces: FaceSet, tmp_path: Path) -> None:
    path = tmp_path / "votes"
    path.write_bytes(COMPRESSORS[compression](votes_table(faces)))
    assert len(read_votes(path)) == 300


def test_a_table_of_faces_is_not_one_of_votes(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").write_bytes(table)
    with pytest.raises(DataError, match="holds no FER\\+ votes"):
        read_votes(tmp_path / "fer2013.csv")


def test_empty_lines_are_passed_over(faces: FaceSet, tmp_path: Path) -> None:
    path = write_votes(tmp_path / "votes.csv", faces)
    path.write_bytes(path.read_bytes() + b"\n\n")
    assert len(read_votes(path)) == len(faces)


def test_a_stray_quote_is_an_error_in_words(faces: FaceSet, tmp_path: Path) -> None:
    path = write_votes(tmp_path / "votes.csv", faces)
    path.write_bytes(path.read_bytes() + b'"' + b"x" * 200_000)
    with pytest.raises(DataError, match="votes.csv is broken"):
        read_votes(path)
