"""Folders of own classes, of expressions with a further one, and lists of classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.class_folders import choose_classes, parse_classes
from fer_core.data.class_names import class_name, name_problem
from fer_core.data.face_set import FaceSet
from fer_core.data.prepare import write_png_tree
from fer_core.data.sources import read_source
from fer_core.data.store import list_stores, open_store, write_store
from fer_core.emotions import LABELS, class_colors
from fer_core.errors import DataError
from tests.data.forms import PACKERS, encoded, tree, write_folder
from tests.own_classes import CK_PLUS, OWN, class_files, own_faces, own_tree


def test_folders_of_own_classes_are_read_under_their_names(tmp_path: Path) -> None:
    faces = read_source(own_tree(tmp_path / "mine", 5))
    assert faces.class_names == OWN and not faces.has_emotions
    assert faces.counts() == {"Training": {"calm": 5, "laughing": 5, "yawning": 5}}
    assert "The classes are named after the folders: calm, laughing, yawning." in faces.source.notes


@pytest.mark.parametrize("packing", PACKERS)
def test_an_archive_of_own_classes_is_the_folder(packing: str, tmp_path: Path) -> None:
    files = class_files(OWN, 3, top="train/") | class_files(OWN, 2, top="test/")
    (tmp_path / "data.bin").write_bytes(PACKERS[packing](files))
    archive, folder = read_source(tmp_path / "data.bin"), read_source(write_folder(tmp_path / "folder", files))
    assert archive.hash == folder.hash and archive.class_names == OWN and archive.splits == ("Training", "Test")


@pytest.mark.parametrize(
    ("folders", "choice", "expected"),
    [
        (("Yawning", "calm"), "auto", ("calm", "Yawning")),
        (("bored", "happiness"), "auto", ("bored", "happy")),
        (("happy", "sadness"), "auto", LABELS),
        (("happy", "sadness"), "own", ("happy", "sad")),
        (CK_PLUS, "own", ("angry", "contempt", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")),
        (CK_PLUS, "skip-unknown", LABELS),
        (("a<b>", "left"), "auto", ("a_b_", "left_")),
    ],
)
def test_the_classes_of_some_folders(folders: tuple[str, ...], choice: str, expected: tuple[str, ...]) -> None:
    chosen = choose_classes(dict.fromkeys(folders, 1), choice)
    assert chosen.class_names == expected
    assert sorted(set(chosen.label_of.values())) == list(range(len(expected)))


@pytest.mark.parametrize(
    ("folders", "choice", "message"),
    [
        (CK_PLUS, "auto", r"named otherwise: contempt \(1\).*skip-unknown.*own"),
        (("happy", "sad", "bored"), "auto", r"named otherwise: bored \(1\)"),
        (("misc",), "auto", "two or more folders"),
        (("calm", "bored"), "skip-unknown", "named otherwise"),
        (tuple(f"person {n}" for n in range(60)), "auto", "at most 50 folders"),
        (("a<", "a>"), "own", "Two folders differ only in signs"),
    ],
)
def test_folders_that_do_not_say_which_classes_there_are(folders: tuple[str, ...], choice: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        choose_classes(dict.fromkeys(folders, 1), choice)


def test_one_unknown_folder_is_skipped_and_counted(faces: FaceSet, tmp_path: Path) -> None:
    files = tree(faces) | {f"train/contempt/{n}.png": encoded(faces.images[n]) for n in range(3)}
    read = read_source(write_folder(tmp_path, files), classes="skip-unknown")
    assert len(read) == len(faces) and read.class_names == LABELS
    assert any("3 images were left out" in note and "contempt (3)" in note for note in read.source.notes)


def test_one_unknown_folder_is_one_more_class(faces: FaceSet, tmp_path: Path) -> None:
    files = tree(faces) | {f"train/contempt/{n}.png": encoded(faces.images[n]) for n in range(3)}
    read = read_source(write_folder(tmp_path, files), classes="own")
    assert read.counts()["Training"]["contempt"] == 3 and len(read.class_names) == 8
    assert len(read) == len(faces) + 3


def test_a_written_tree_of_own_classes_is_read_as_it_was(tmp_path: Path) -> None:
    """Seven expressions and contempt would be asked about; the list of classes in the tree answers."""
    source = read_source(write_folder(tmp_path / "ck", class_files(CK_PLUS, 3)), classes="own")
    write_png_tree(source, tmp_path / "out")
    again = read_source(tmp_path / "out")
    assert again.class_names == source.class_names and again.counts() == source.counts()
    assert (tmp_path / "out" / "classes.txt").read_text().split() == list(source.class_names)


def test_a_list_of_classes_gives_their_order(tmp_path: Path) -> None:
    files = class_files(OWN, 2) | {"classes.txt": b"yawning\r\ncalm\nlaughing\n"}
    read = read_source(write_folder(tmp_path, files))
    assert read.class_names == ("yawning", "calm", "laughing") and read.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_list_that_lacks_a_folder_does_not_count(tmp_path: Path) -> None:
    files = class_files(OWN, 2) | {"classes.txt": b"yawning\ncalm\n"}
    assert read_source(write_folder(tmp_path, files)).class_names == OWN
    assert parse_classes(b"one") == parse_classes(b"\xff\xfe") == parse_classes(b"calm\nCalm") == ()


def test_a_store_keeps_the_names_and_one_of_before_has_the_seven(tmp_path: Path) -> None:
    import json

    faces = own_faces()
    assert write_store(faces, "mine", tmp_path).class_names == OWN
    assert open_store("mine", tmp_path).hash == faces.hash and list_stores(tmp_path)[0].class_names == OWN
    meta_file = tmp_path / "mine" / "meta.json"
    meta = json.loads(meta_file.read_text())
    del meta["class_names"]
    meta_file.write_text(json.dumps(meta))
    assert list_stores(tmp_path)[0].class_names == LABELS


def test_the_names_are_part_of_the_content() -> None:
    faces = own_faces()
    renamed = FaceSet(faces.images, faces.labels, faces.split, class_names=("calm", "laughing", "bored"))
    seven = FaceSet(faces.images, faces.labels, faces.split)
    assert len({faces.hash, renamed.hash, seven.hash}) == 3


@pytest.mark.parametrize("names", [("calm",), ("calm", "calm"), ("calm", "<b>"), ("calm", "expression"), LABELS[::-1]])
def test_names_that_cannot_be_used_are_refused(names: tuple[str, ...]) -> None:
    images = np.zeros((1, 48, 48), np.uint8)
    with pytest.raises(ValueError, match="class|order"):
        FaceSet(images, np.zeros(1, np.int64), np.zeros(1, np.uint8), class_names=names)


def test_any_folder_becomes_a_name_that_can_be_used() -> None:
    for folder in ("ärger", "<script>", "left", " x " * 60, "笑う", ""):
        assert name_problem(("other", class_name(folder))) == ""


def test_every_class_has_a_colour_of_its_own_and_emotions_keep_theirs() -> None:
    colors = class_colors(("angry", "calm", "contempt", "laughing", "surprised"))
    assert len(set(colors.values())) == 5
    assert colors["angry"] == class_colors(LABELS)["angry"]


@pytest.mark.parametrize("head", [b"7z\xbc\xaf\x27\x1c\0\4", b"Rar!\x1a\x07\1\0"])
def test_archives_that_are_not_read_say_so(head: bytes, tmp_path: Path) -> None:
    (tmp_path / "faces.bin").write_bytes(head + bytes(100))
    with pytest.raises(DataError, match="7z or RAR archive, which this program does not read. Unpack it"):
        read_source(tmp_path / "faces.bin")


def test_a_broken_bz2_is_explained(tmp_path: Path) -> None:
    content = PACKERS["tar.bz2"](class_files(OWN, 3))
    (tmp_path / "faces.tar.bz2").write_bytes(content[: len(content) // 2] + bytes(len(content) // 2))
    with pytest.raises(DataError, match="broken or ends too early"):
        read_source(tmp_path / "faces.tar.bz2")
