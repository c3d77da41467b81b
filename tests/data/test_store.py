"""The store: what goes in comes out, at once or not at all."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.data import store
from fer_core.data.face_set import FaceSet
from fer_core.data.store import (
    data_root,
    delete_store,
    list_stores,
    open_store,
    write_store,
)
from fer_core.data.votes import OLD_VOTES_NOTE, join_votes, read_votes
from fer_core.errors import DataError
from tests.data.forms import votes_table
from tests.drawn_faces import demo_set


def with_votes(faces: FaceSet) -> FaceSet:
    votes = np.random.default_rng(0).integers(0, 11, (len(faces), 10), dtype=np.uint8)
    return dataclasses.replace(faces, votes=votes)


def arrays_of(folder: Path) -> list[Path]:
    return list(folder.glob("arrays-*"))


def test_a_store_gives_back_what_was_written(faces: FaceSet, tmp_path: Path) -> None:
    faces = with_votes(faces)
    written = write_store(faces, "demo", tmp_path)
    opened = open_store("demo", tmp_path)
    for name in ("images", "labels", "split", "votes"):
        np.testing.assert_array_equal(getattr(opened, name), getattr(faces, name))
    assert opened.labels.dtype == np.int64
    assert opened.source == faces.source and opened.source.synthetic
    assert opened.hash == written.hash == faces.hash


def test_images_stay_on_disk_and_nothing_is_hashed_again(
    faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_store(faces, "demo", tmp_path)
    monkeypatch.setattr("hashlib.sha256", lambda: pytest.fail("hashed again"))
    opened = open_store("demo", tmp_path)
    assert isinstance(opened.images, np.memmap) and not opened.images.flags.writeable
    assert opened.hash == faces.hash


def test_stores_live_side_by_side(faces: FaceSet, tmp_path: Path) -> None:
    write_store(with_votes(faces), "b", tmp_path)
    write_store(demo_set(100), "a", tmp_path)
    infos = list_stores(tmp_path)
    assert [(info.name, info.rows, info.votes, info.problem) for info in infos] == [
        ("a", 100, False, ""),
        ("b", 300, True, ""),
    ]
    assert infos[1].counts == faces.counts() and infos[1].source.kind == "demo"


def test_no_root_means_no_stores(tmp_path: Path) -> None:
    assert list_stores(tmp_path / "none") == []


def test_writing_again_replaces_and_leaves_one_set_of_arrays(faces: FaceSet, tmp_path: Path) -> None:
    old = write_store(faces, "demo", tmp_path)
    first = old.images[0].copy()
    new = write_store(demo_set(100), "demo", tmp_path)
    assert len(new) == 100 and len(arrays_of(tmp_path / "demo")) == 1
    np.testing.assert_array_equal(old.images[0], first)  # a reader of the old store keeps it


def test_deleted_stores_are_gone(faces: FaceSet, tmp_path: Path) -> None:
    write_store(faces, "demo", tmp_path)
    delete_store("demo", tmp_path)
    assert list_stores(tmp_path) == [] and not (tmp_path / "demo").exists()
    with pytest.raises(DataError, match="no data set named 'demo'"):
        delete_store("demo", tmp_path)


@pytest.mark.parametrize("name", ["", "../out", "a/b", ".hidden", "x" * 65])
def test_names_that_leave_the_root_are_refused(name: str, faces: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot name a data set"):
        write_store(faces, name, tmp_path)


def test_a_file_that_is_cut_short_while_it_is_open_is_an_error_in_words(faces: FaceSet, tmp_path: Path) -> None:
    images = write_store(faces, "demo", tmp_path).images
    part = images[10:200]
    os.truncate(arrays_of(tmp_path / "demo")[0] / "images.npy", 5000)
    for look in (lambda: images[150], lambda: images[[150, 160]], lambda: part[100], lambda: list(images)):
        with pytest.raises(DataError, match="cut short while it was in use"):
            look()


def test_an_array_of_another_size_is_listed_as_a_problem(faces: FaceSet, tmp_path: Path) -> None:
    write_store(faces, "demo", tmp_path)
    os.truncate(arrays_of(tmp_path / "demo")[0] / "images.npy", 5000)
    assert "images.npy has 5,000 bytes, expected" in list_stores(tmp_path)[0].problem


def as_stored_earlier(faces: FaceSet, root: Path) -> FaceSet:
    """Store faces as before votes had a version: rows that nobody voted on have ten votes for NF."""
    votes = with_votes(faces).votes
    votes[:2] = 10 * (np.arange(10) == 9)
    stored = dataclasses.replace(faces, votes=votes)
    write_store(stored, "demo", root)
    meta = root / "demo" / "meta.json"
    content = json.loads(meta.read_text())
    del content["vote_version"]
    meta.write_text(json.dumps(content))
    return stored


def test_in_an_older_store_ten_votes_for_not_a_face_are_none(faces: FaceSet, tmp_path: Path) -> None:
    stored = as_stored_earlier(faces, tmp_path)
    opened = open_store("demo", tmp_path)
    assert not opened.votes[:2].any()
    np.testing.assert_array_equal(opened.votes[2:], stored.votes[2:])
    assert OLD_VOTES_NOTE in opened.source.notes and OLD_VOTES_NOTE in list_stores(tmp_path)[0].source.notes


def test_a_new_store_keeps_ten_votes_for_not_a_face(faces: FaceSet, tmp_path: Path) -> None:
    votes = with_votes(faces).votes
    votes[0] = 10 * (np.arange(10) == 9)
    opened = write_store(dataclasses.replace(faces, votes=votes), "demo", tmp_path)
    assert opened.votes[0, 9] == 10 and OLD_VOTES_NOTE not in opened.source.notes


def test_votes_added_again_are_no_longer_old(faces: FaceSet, tmp_path: Path) -> None:
    as_stored_earlier(faces, tmp_path)
    (tmp_path / "votes.csv").write_bytes(votes_table(faces))
    joined = join_votes(open_store("demo", tmp_path), read_votes(tmp_path / "votes.csv"))
    assert OLD_VOTES_NOTE not in write_store(joined, "demo", tmp_path).source.notes


def test_a_missing_store_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data set named 'demo'"):
        open_store("demo", tmp_path)


def _cut_images(folder: Path) -> None:
    images = arrays_of(folder)[0] / "images.npy"
    images.write_bytes(images.read_bytes()[:100_000])


def _alter_pixel(folder: Path) -> None:
    images = arrays_of(folder)[0] / "images.npy"
    content = bytearray(images.read_bytes())
    content[-1] ^= 255
    images.write_bytes(content)


def _lose_labels(folder: Path) -> None:
    (arrays_of(folder)[0] / "labels.npy").unlink()


def _cut_meta(folder: Path) -> None:
    meta = folder / "meta.json"
    meta.write_text(meta.read_text()[:100])


def _empty_meta(folder: Path) -> None:
    (folder / "meta.json").write_text("[]")


def _newer_format(folder: Path) -> None:
    meta = folder / "meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"format": 99}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_cut_images, "damaged"),
        (_alter_pixel, "altered"),
        (_lose_labels, "damaged"),
        (_cut_meta, "damaged"),
        (_empty_meta, "damaged"),
        (_newer_format, "another version"),
    ],
)
def test_damaged_stores_are_errors_in_words(damage, words: str, faces: FaceSet, tmp_path: Path) -> None:
    write_store(faces, "demo", tmp_path)
    damage(tmp_path / "demo")
    with pytest.raises(DataError, match=words):
        open_store("demo", tmp_path)


def test_a_damaged_store_is_listed_with_its_problem_and_can_be_deleted(faces: FaceSet, tmp_path: Path) -> None:
    write_store(faces, "demo", tmp_path)
    _cut_meta(tmp_path / "demo")
    assert "damaged" in list_stores(tmp_path)[0].problem
    delete_store("demo", tmp_path)
    assert list_stores(tmp_path) == []


def test_a_copied_store_opens(faces: FaceSet, tmp_path: Path) -> None:
    write_store(faces, "demo", tmp_path)
    os.utime(arrays_of(tmp_path / "demo")[0] / "images.npy", (1, 1))  # a copy has another time
    assert open_store("demo", tmp_path).hash == faces.hash


def test_a_full_disk_keeps_the_old_store(faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_store(faces, "demo", tmp_path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(DataError, match="the disk is full"):
        write_store(demo_set(100), "demo", tmp_path)
    with pytest.raises(DataError, match="the disk is full"):
        write_store(demo_set(100), "new", tmp_path)
    assert open_store("demo", tmp_path).hash == faces.hash
    assert len(arrays_of(tmp_path / "demo")) == 1 and not (tmp_path / "new").exists()


_KILLED = """
import os, signal, sys
from pathlib import Path
from fer_core.data import store
from fer_core.data.demo import demo_set
moment, root = sys.argv[1], Path(sys.argv[2])
kill = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
if moment == "arrays":
    store._stamp = kill
elif moment == "meta":
    store.write_json = kill
elif moment == "cleaning":
    store.shutil.rmtree = kill
store.write_store(demo_set(100), "demo", root)
"""


@pytest.mark.parametrize(("moment", "left"), [("arrays", "old"), ("meta", "old"), ("cleaning", "new")])
def test_a_killed_process_leaves_the_old_store_or_the_new_one(
    moment: str, left: str, faces: FaceSet, tmp_path: Path
) -> None:
    write_store(faces, "demo", tmp_path)
    done = subprocess.run([sys.executable, "-c", _KILLED, moment, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert open_store("demo", tmp_path).hash == (faces if left == "old" else demo_set(100)).hash


def test_a_process_killed_at_its_first_store_leaves_none(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, "meta", str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list_stores(tmp_path) == []


def test_what_a_killed_process_left_is_removed_later(faces: FaceSet, tmp_path: Path) -> None:
    write_store(faces, "demo", tmp_path)
    for name in ("arrays-old", "arrays-fresh"):
        (tmp_path / "demo" / name).mkdir()
    os.utime(tmp_path / "demo" / "arrays-old", (1, 1))
    write_store(faces, "demo", tmp_path)
    names = {path.name for path in arrays_of(tmp_path / "demo")}
    assert "arrays-fresh" in names and "arrays-old" not in names


def test_the_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_HOME", "/somewhere")
    assert data_root() == Path("/somewhere/datasets")
    monkeypatch.delenv("FER_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/share")
    assert data_root() == Path("/share/fer-dashboard/datasets")
