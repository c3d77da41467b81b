import errno
import io
from pathlib import Path

import pytest

from fer_core.errors import DataError
from fer_core.ui.dataset import source
from fer_core.ui.dataset.source import store_name, typed_path


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
    assert typed_path(' "~/x.csv" ') == tmp_path / "x.csv"


@pytest.mark.parametrize(
    "words, expected",
    [
        ("~nobody-of-this-name/x.csv", "does not know"),
        ("x" * 300, "cannot be looked at: File name too long"),
        ("/nowhere/x.csv", "/nowhere/x.csv is not there"),
    ],
)
def test_a_path_that_leads_nowhere_is_explained(words, expected):
    with pytest.raises(DataError, match=expected):
        typed_path(words)


def test_a_path_that_may_not_be_read_is_explained(monkeypatch):
    def denied(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(DataError, match="Permission denied"):
        typed_path("/secret/x.csv")


def test_an_upload_that_the_disk_has_no_room_for_is_explained(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("FER_HOME", str(tmp_path))
    monkeypatch.setattr(source.shutil, "copyfileobj", full)
    with pytest.raises(DataError, match="x.csv cannot be copied to .*No space left on device. Free some space"):
        source._import_upload(io.BytesIO(b"1"), "x.csv", "x", lambda done, total: None)
    assert list((tmp_path / "datasets").iterdir()) == []
