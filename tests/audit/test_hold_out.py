"""Splits are held out where a data set lacks them: by class, seeded, copies and near copies on one side."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.audit.hold_out import copy_groups, hold_out_splits, open_split_faces, with_missing_splits
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.sources import read_source
from fer_core.data.splits import missing_splits, with_held_out
from fer_core.data.store import open_store, write_store
from fer_core.errors import DataError
from tests.data.forms import write_folder
from tests.own_classes import CK_PLUS, OWN, class_files, class_images, own_faces, own_tree


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))


def frames(classes: int = 2, sequences: int = 12, length: int = 3) -> FaceSet:
    """Return sequences of frames that hardly differ, as CK+ has them; rows of one sequence follow each other."""
    images, labels = [], []
    for label, name in enumerate(OWN[:classes]):
        for first in class_images(name, sequences):
            for frame in range(length):
                # Brighter from frame to frame: not one pixel more alike than that, and still the same picture.
                images.append(cv2.convertScaleAbs(first, alpha=0.9, beta=frame))
                labels.append(label)
    split = np.zeros(len(images), np.uint8)
    return FaceSet(np.stack(images), np.array(labels), split, class_names=OWN[:classes])


@pytest.mark.parametrize(
    ("splits", "missing"),
    [
        (("Training",), ("Validation", "Test")),
        (("Training", "Test"), ("Validation",)),
        (("Training", "Validation"), ("Test",)),
        (("Training", "PublicTest", "PrivateTest"), ()),
        (("Training", "PublicTest"), ()),
        (("Test",), ()),
    ],
)
def test_what_a_data_set_lacks(splits: tuple[str, ...], missing: tuple[str, ...]) -> None:
    faces = own_faces()
    split = np.resize([SPLITS.index(name) for name in splits], len(faces)).astype(np.uint8)
    assert missing_splits(dataclasses.replace(faces, split=split)) == missing


def test_each_class_gives_its_share_to_both_splits(tmp_path: Path) -> None:
    faces = with_missing_splits(read_source(own_tree(tmp_path / "mine", 30)), 0.2)
    assert faces.splits == ("Training", "Test", "Validation")
    for split in ("Test", "Validation"):
        assert all(5 <= count <= 7 for count in faces.counts()[split].values())


def test_the_same_seed_holds_out_the_same(tmp_path: Path) -> None:
    faces = read_source(own_tree(tmp_path / "mine", 30))
    first, same, other = (with_missing_splits(faces, seed=seed).split for seed in (0, 0, 1))
    assert np.array_equal(first, same) and not np.array_equal(first, other)


def test_frames_of_one_sequence_stay_on_one_side() -> None:
    faces = frames()
    split = with_missing_splits(faces, 0.25).split.reshape(-1, 3)
    assert (split == split[:, :1]).all() and len(np.unique(split)) == 3
    groups = copy_groups(faces.images).reshape(-1, 3)
    assert (groups == groups[:, :1]).all()


def test_a_small_class_is_in_every_split() -> None:
    faces = frames(sequences=4, length=1)
    counts = with_held_out(faces, {"Validation": 0.1, "Test": 0.1}).counts()
    assert all(by_class[name] == 1 for split, by_class in counts.items() if split != "Training" for name in OWN[:2])


def test_a_group_too_large_for_its_share_stays_in_training() -> None:
    faces = frames(classes=2, sequences=10, length=1)
    groups = np.where(faces.labels == 0, 0, np.arange(len(faces)))  # all of the first class are one picture
    counts = with_held_out(faces, {"Validation": 0.2}, groups=groups).counts()
    assert counts["Validation"] == {"calm": 0, "laughing": 2}


def test_a_folder_without_splits_is_held_out_when_a_command_opens_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "ck", class_files(CK_PLUS, 12) | {"classes.txt": "\n".join(CK_PLUS).encode()})
    first, again = open_split_faces(str(folder)), open_split_faces(str(folder))
    assert first.splits == ("Training", "Test", "Validation") and "contempt" in first.class_names
    assert first.hash == again.hash and "held out of each class" in first.source.notes[-1]


def test_a_stored_data_set_is_opened_as_it_is_and_held_out_into_a_copy(tmp_path: Path) -> None:
    write_store(read_source(own_tree(tmp_path / "mine", 12)), "mine")
    assert open_split_faces("mine").splits == ("Training",)
    copy = open_store(hold_out_splits("mine"))
    assert copy.splits == ("Training", "Test", "Validation") and copy.class_names == OWN
    with pytest.raises(DataError, match="nothing needs to be held out"):
        hold_out_splits("mine with validation")
