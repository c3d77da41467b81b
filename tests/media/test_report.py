"""Names of faces in a table, and the page about an analysis."""

import io

import numpy as np
import pytest

from fer_core.cli import main
from fer_core.media.names import face_names, merge_faces, name_faces
from fer_core.media.portraits import Moment
from fer_core.media.report import html_report
from fer_core.media.summary import summarize
from fer_core.recognition.quality import measure_quality
from fer_core.recognition.table import Table, read_table
from fer_core.types import Detections, FrameResult, Prediction

LABELS = ("happy", "sad")
FILE = "<b>clip</b>.mp4"
ABOUT = {
    "program": "fer_core 1",
    "note": "As a network sees them.",
    "made_utc": "2026-01-02T03:04:05+00:00",
    "model": {"name": "people", "sha256": "ab", "label_set": "fer", "temperature": 1.0, "uncertain_below": 0.6},
    "every_s": 0.0,
    "smoothing_s": 0.0,
    "start_s": 0.0,
    "end_s": None,
    "files": [
        {"file": FILE, "frames": 6, "sound": "copied"},
        {"file": "broken.jpg", "frames": 0, "error": "broken.jpg cannot be read"},
    ],
}
MOMENT = Moment("happy", 0.9, 0.0, 1, "data:image/jpeg;base64,AAAA")


@pytest.fixture(scope="module")
def csv():
    """Face 1 in three frames, then face 2; then three with face 3, which is too small to be valid."""
    out = io.StringIO()
    table = Table(out, LABELS, uncertain_below=0.6)
    for index, (face, score) in enumerate([(0, 0.9), (0, 0.8), (0, 0.9), (1, 0.1), (1, 0.2), (2, 0.9)]):
        side = 10 if face == 2 else 60
        boxes = np.array([[20, 20, 20 + side, 20 + side]], np.float32)
        faces = np.random.default_rng(0).integers(0, 256, (1, 48, 48), np.uint8)
        table.add(
            FILE,
            FrameResult(
                index,
                index / 10,
                (100, 100),
                Detections(boxes, np.ones(1, np.float32)),
                Prediction(np.array([[score, 1 - score]], np.float32), LABELS),
                np.array([face]),
                measure_quality(faces, boxes, (100, 100)),
            ),
            index / 10,
        )
    return out.getvalue().encode()


def test_named_faces_keep_their_numbers_and_those_of_one_name_are_one(csv):
    assert name_faces(csv, {}) is csv and name_faces(csv, {FILE: {}}) is csv
    named = name_faces(csv, {FILE: {1: "Åsa, née B", 2: "Åsa, née B"}, "other.mp4": {3: "Nobody"}})
    rows = read_table(named)
    assert list(rows)[3:6] == ["face", "name", "left"] and rows["face"].tolist() == [1, 1, 1, 2, 2, 3]
    assert face_names(rows) == {1: "Åsa, née B", 2: "Åsa, née B", 3: "Face 3"}
    assert {each.face: each.frames for each in summarize(merge_faces(rows), LABELS)} == {1: 5, 3: 1}
    before = read_table(csv)
    assert rows.drop(columns="name").equals(before)
    assert face_names(before)[1] == "Face 1" and merge_faces(before) is before


def test_a_report_tells_files_faces_courses_and_settings_with_every_word_escaped(csv):
    page = html_report(read_table(name_faces(csv, {FILE: {1: "<i>Ann</i>", 2: "<i>Ann</i>"}})), ABOUT)
    assert "&lt;b&gt;clip&lt;/b&gt;.mp4" in page and "<b>clip" not in page
    assert "&lt;i&gt;Ann&lt;/i&gt;" in page and "<i>Ann" not in page and "Face 2" not in page
    assert page.count("<polygon") == 2 * len(LABELS)
    assert "too small" in page and "broken.jpg cannot be read" in page and "Sound: copied" in page
    assert "people" in page and "<script" not in page and "http" not in page


def test_pictures_of_people_are_in_a_report_only_if_asked_for(csv):
    rows = read_table(csv)
    assert "<img" not in html_report(rows, ABOUT)
    assert MOMENT.picture in html_report(rows, ABOUT, {FILE: [MOMENT]})


def test_the_command_writes_a_report(tmp_path, media_path, capsys):
    words = ["analyze", str(media_path / "one_face.jpg"), "--report", str(tmp_path / "a.html")]
    assert main(words) == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Face 1" in page and "one_face.jpg" in page and "<img" not in page
    assert capsys.readouterr().out.startswith("file,frame")
    for wrong in ("--json", "--report-pictures --jobs 2"):
        assert main([*words, *wrong.split()]) == 1
