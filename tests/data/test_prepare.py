"""The PNG tree of the original script: its folders, numbers and pixels."""

from __future__ import annotations

import dataclasses
import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.data.face_set import FaceSet
from fer_core.data.prepare import write_png_tree
from fer_core.data.sources import read_source
from fer_core.emotions import LABELS
from fer_core.errors import DataError


def gray(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image.shape == (48, 48)
    return image


def test_images_are_numbered_by_class_from_zero_in_row_order(faces: FaceSet, tmp_path: Path) -> None:
    assert write_png_tree(faces, tmp_path / "data") == {"train": 240, "test": 60}
    for label, name in enumerate(LABELS):
        rows = np.flatnonzero((faces.labels == label) & (faces.split == 0))
        assert len(list((tmp_path / "data" / "train" / name).iterdir())) == len(rows)
        for number, row in enumerate(rows):
            image = gray(tmp_path / "data" / "train" / name / f"im{number}.png")
            np.testing.assert_array_equal(image, faces.images[row])


def test_the_public_test_comes_before_the_private_one(faces: FaceSet, tmp_path: Path) -> None:
    swapped = dataclasses.replace(faces, split=np.array([0, 2, 1], np.uint8)[faces.split])
    write_png_tree(swapped, tmp_path / "data")
    happy = [
        row
        for split in (1, 2)
        for row in np.flatnonzero((swapped.labels == LABELS.index("happy")) & (swapped.split == split))
    ]
    for number, row in enumerate(happy):
        np.testing.assert_array_equal(gray(tmp_path / "data" / "test" / "happy" / f"im{number}.png"), faces.images[row])


def test_the_tree_can_be_read_back(faces: FaceSet, tmp_path: Path) -> None:
    write_png_tree(faces, tmp_path / "data")
    read = read_source(tmp_path / "data")
    np.testing.assert_array_equal(
        np.sort(read.images.reshape(300, -1), axis=0), np.sort(faces.images.reshape(300, -1), axis=0)
    )
    assert read.counts()["Training"] == faces.counts()["Training"]


def test_progress_runs_to_the_end(faces: FaceSet, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_png_tree(faces, tmp_path / "data", lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1] == (300, 300)


def test_an_empty_folder_may_be_there_already(faces: FaceSet, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_png_tree(faces, tmp_path / "data")
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["test", "train"]


def test_two_sets_are_never_mixed(faces: FaceSet, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(DataError, match="already holds something"):
        write_png_tree(faces, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_full_disk_leaves_nothing(faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="the disk is full"):
        write_png_tree(faces, tmp_path / "data")
    assert list(tmp_path.iterdir()) == []
