"""Uploads through the real line, as the page has them analysed."""

import io
import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import MediaError
from fer_core.media.analysis import Choices
from fer_core.media.video import write_video
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.jobs import JobStopped
from fer_core.ui.media.job import analyse


@pytest.fixture(scope="module")
def recognizer():
    return EmotionRecognizer()


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """Where temporary files go, to see that none stays."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "disk"))
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


@pytest.fixture
def clip(tmp_path, draw_scene):
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(20):
            writer.write(draw_scene((200 + 2 * index, 230, 120)), index / 10)
    return upload("clip.mp4", (tmp_path / "clip.mp4").read_bytes())


def upload(name, content):
    file = io.BytesIO(content)
    file.name = name
    return file


def picture(name, scene):
    return upload(name, cv2.imencode(".png", scene)[1].tobytes())


def test_rows_copies_and_portraits_come_back_and_nothing_stays_on_the_disk(recognizer, disk, clip, draw_scene):
    shares = []
    found = analyse(
        recognizer,
        [clip, picture("one.png", draw_scene((300, 230, 120)))],
        Choices(every_s=0.5),
        lambda done, total: shares.append(done / total),
    )
    assert found.rows["file"].tolist() == ["clip.mp4"] * 4 + ["one.png"]
    assert found.csv.decode().count("\n") == 6
    assert set(found.copies) == set(found.portraits) == {"clip.mp4", "one.png"}
    assert cv2.imdecode(np.frombuffer(found.copies["one.png"], np.uint8), 1).shape == (480, 640, 3)
    assert found.portraits["clip.mp4"][1].startswith("data:image/jpeg;base64,")
    assert shares == sorted(shares) and shares[0] == 0 and 0.3 < shares[-1] <= 0.5
    assert not found.stopped
    assert list(disk.iterdir()) == []


def test_files_of_one_name_are_told_apart_and_a_strange_name_harms_nothing(recognizer, disk, draw_scene):
    names = ["a.png", "a.png", "../../" + "ü" * 300 + ".png"]
    found = analyse(recognizer, [picture(name, draw_scene()) for name in names], Choices(), lambda *_: None)
    assert found.rows["file"].tolist() == ["a.png", "a (2).png", "ü" * 300 + ".png"]


def test_a_broken_file_is_named_as_its_owner_knows_it(recognizer, disk, draw_scene):
    found = analyse(
        recognizer,
        [
            upload("mine.jpg", b"\xff\xd8\xff broken"),
            upload("film.mp4", b"broken"),
            picture("one.png", draw_scene((300, 230, 120))),
        ],
        Choices(),
        lambda *_: None,
    )
    errors = [file.get("error", "") for file in found.about["files"]]
    assert errors[0].startswith("mine.jpg cannot be read")
    assert errors[1].startswith("film.mp4 cannot be read")
    assert found.rows["file"].tolist() == ["one.png"]


def test_what_was_found_before_a_stop_is_kept(recognizer, disk, clip):
    calls = []

    def report(done, total):
        calls.append(done)
        if len(calls) == 6:  # the first says that the file is begun
            raise JobStopped("stopped")

    found = analyse(recognizer, [clip], Choices(), report)
    assert found.stopped
    assert found.rows["frame"].tolist() == [0, 1, 2, 3, 4]
    assert found.about["files"] == [{"file": "clip.mp4", "frames": 5}]
    assert found.copies == {}
    assert list(disk.iterdir()) == []


def test_a_full_disk_is_an_error_in_words(recognizer, disk, clip, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fer_core.ui.media.job.shutil.copyfileobj", full)
    with pytest.raises(MediaError, match="clip.mp4 cannot be kept while it is analysed: No space left on device"):
        analyse(recognizer, [clip], Choices(), lambda *_: None)
    assert list(disk.iterdir()) == []


def test_what_a_killed_server_left_is_removed_and_what_a_living_one_uses_is_not(recognizer, disk, draw_scene):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (dead.pid, os.getpid()):
        (disk / f"fer-media-{pid}-x").mkdir()
    analyse(recognizer, [picture("none.png", draw_scene())], Choices(), lambda *_: None)
    assert [folder.name for folder in disk.iterdir()] == [f"fer-media-{os.getpid()}-x"]


def test_an_upload_can_be_analysed_again(recognizer, disk, draw_scene):
    upload = picture("one.png", draw_scene((300, 230, 120)))
    first, second = (analyse(recognizer, [upload], Choices(), lambda *_: None).csv for _ in range(2))
    assert first == second and first.count(b"\n") == 2


def test_the_table_of_a_picture_without_a_face_can_be_shown(recognizer, disk, draw_scene):
    found = analyse(recognizer, [picture("none.png", draw_scene())], Choices(), lambda *_: None)
    assert len(found.rows) == 1 and found.rows["face"].isna().all()
    assert found.rows[list(LABELS)].isna().all(axis=None)
    assert Path(found.about["files"][0]["file"]) == Path("none.png")
