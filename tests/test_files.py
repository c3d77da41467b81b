import os

import pytest

from fer_core.files import atomic_path, remove_abandoned, sha256_of, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_path(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_successful_write_replaces_the_file_and_makes_its_folder(tmp_path):
    path = tmp_path / "new" / "a.json"
    write_json(path, {"a": 1})
    write_json(path, {"ä": 2})
    assert path.read_text(encoding="utf-8") == '{\n  "ä": 2\n}\n'


def test_sha256_is_the_standard_one(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_killed_processes_left_is_removed_once_it_is_old(tmp_path):
    for name in (".upload-old", ".upload-new", "mine"):
        (tmp_path / name).mkdir()
    (tmp_path / ".upload-file").touch()
    for name in (".upload-old", ".upload-file", "mine"):
        os.utime(tmp_path / name, (0, 0))
    remove_abandoned(tmp_path, ".upload-*")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".upload-new", "mine"]
