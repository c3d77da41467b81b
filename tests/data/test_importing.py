import dataclasses
import errno
from pathlib import Path

import numpy as np
import pytest

from fer_core.audit.hold_out import hold_out_splits
from fer_core.data.importing import add_votes, import_faces, resolve_path
from fer_core.data.store import list_stores, open_store, store_name, validation_name, write_store
from fer_core.emotions import CSV_TO_INDEX
from fer_core.errors import DataError
from tests.drawn_faces import demo_set


@pytest.mark.parametrize(
    "wanted, taken, expected",
    [
        ("fer2013.csv", set(), "fer2013"),
        ("fer2013.csv.xz", {"fer2013"}, "fer2013 2"),
        ("archive.tar.gz", {"archive", "archive 2"}, "archive 3"),
        ("My faces (new).zip", set(), "My faces -new"),
        ("../../etc", set(), "etc"),
        ("ümläut", set(), "ml-ut"),
        ("...", set(), "faces"),
        ("x" * 200, set(), "x" * 60),
    ],
)
def test_a_file_s_name_becomes_a_store_s(wanted, taken, expected):
    assert store_name(wanted, taken) == expected


def test_a_path_may_be_quoted_and_begin_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x.csv").touch()
    assert resolve_path(' "~/x.csv" ') == tmp_path / "x.csv"


@pytest.mark.parametrize(
    "words, expected",
    [
        ("~nobody-of-this-name/x.csv", "does not know"),
        ("x" * 300, "cannot be read: File name too long"),
        ("/nowhere/x.csv", "/nowhere/x.csv is not there"),
    ],
)
def test_a_path_that_leads_nowhere_is_explained(words, expected):
    with pytest.raises(DataError, match=expected):
        resolve_path(words)


def test_a_path_that_may_not_be_read_is_explained(monkeypatch):
    def denied(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(DataError, match="Permission denied"):
        resolve_path("/secret/x.csv")


@pytest.mark.parametrize("name", ["tree", "x" * 60, "x" * 44 + " with validation", "a" * 43 + " b"])
def test_a_set_is_never_overwritten_by_its_own_split(name):
    split = validation_name(name)
    assert split != name
    assert split == validation_name(name)
    assert "with validation" in split and len(split) <= 64


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))


def table(path, faces):
    rows = [
        f"{CSV_TO_INDEX.index(k)},{' '.join(map(str, image.ravel()))},Training"
        for k, image in zip(faces.labels, faces.images, strict=True)
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


def test_two_imports_of_one_name_give_two_stores(home, tmp_path):
    path = table(tmp_path / "mine.csv", demo_set(70))
    assert [import_faces(path), import_faces(path), import_faces(path, "other")] == ["mine", "mine 2", "other"]
    assert [(info.name, info.rows) for info in list_stores()] == [("mine", 70), ("mine 2", 70), ("other", 70)]


def test_a_split_of_the_same_data_is_written_anew_and_one_of_other_data_is_kept(home):
    faces = demo_set(140)
    write_store(dataclasses.replace(faces, split=np.zeros(140, np.uint8)), "tree")
    assert hold_out_splits("tree") == hold_out_splits("tree") == "tree with validation"
    write_store(demo_set(80), "tree with validation")
    assert hold_out_splits("tree") == "tree with validation 2"
    assert open_store("tree with validation").hash == demo_set(80).hash


def test_votes_that_do_not_fit_leave_the_store_as_it_was(home, tmp_path):
    before = write_store(demo_set(70), "mine")
    path = tmp_path / "votes.csv"
    path.write_text("Usage,neutral\n")
    with pytest.raises(DataError, match="holds no FER"):
        add_votes("mine", path)
    assert open_store("mine").hash == before.hash and not list_stores()[0].votes
