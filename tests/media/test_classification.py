"""`classify`: cropped faces in, a row of scores for each out."""

import csv
import io
import json

import cv2
import numpy as np
import pytest

from fer_core.cli import main
from fer_core.emotions import LABELS
from fer_core.errors import MediaError
from fer_core.media.classification import classify_files, faces_of, find_faces
from fer_core.recognizer import EmotionRecognizer
from tests.drawn_faces import demo_set


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return demo_set(70).images[:3]


@pytest.fixture
def folder(tmp_path, faces):
    """Three faces: two in one array, and one as a picture."""
    folder = tmp_path / "faces"
    folder.mkdir()
    np.save(folder / "two.npy", faces[:2])
    cv2.imwrite(str(folder / "one.png"), faces[2])
    (folder / "notes.txt").touch()
    return folder


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_face_has_a_row_with_the_scores_of_the_library(folder, faces, capsys):
    assert main(["classify", str(folder), "--model", "seed-cnn"]) == 0
    table = rows(capsys.readouterr().out)
    assert [(row["file"], row["face"]) for row in table] == [
        (str(folder / "one.png"), "1"),
        (str(folder / "two.npy"), "1"),
        (str(folder / "two.npy"), "2"),
    ]
    expected = EmotionRecognizer("seed-cnn").classify(faces[[2, 0, 1]])
    scores = np.array([[float(row[label]) for label in LABELS] for row in table])
    np.testing.assert_allclose(scores, expected, atol=6e-5)
    assert [row["expression"] for row in table] == [LABELS[best] for best in expected.argmax(axis=1)]


def test_a_face_below_the_threshold_of_the_model_is_uncertain(folder):
    recognizer, table = EmotionRecognizer(), io.StringIO()
    classify_files(recognizer, find_faces([folder]), table)
    for row in rows(table.getvalue()):
        best = max(float(row[label]) for label in LABELS)
        assert row["uncertain"] == ("yes" if best < recognizer.card.uncertain_below else "no")


def test_a_table_on_disk_comes_with_its_provenance_and_is_not_replaced(folder, tmp_path, capsys):
    out = tmp_path / "table.csv"
    assert main(["classify", str(folder), "--out", str(out)]) == 0
    about = json.loads((tmp_path / "table.csv.about.json").read_text())
    assert [file["faces"] for file in about["files"]] == [1, 2]
    assert main(["classify", str(folder), "--out", str(out)]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_damaged_file_does_not_stop_the_others(folder, capsys):
    (folder / "damaged.jpg").write_bytes(b"no picture")
    (folder / "floats.npy").write_bytes((folder / "two.npy").read_bytes()[:40])
    assert main(["classify", str(folder)]) == 1
    output = capsys.readouterr()
    assert len(rows(output.out)) == 3
    assert "damaged.jpg cannot be read" in output.err and "floats.npy is not a file of NumPy" in output.err
    assert "2 of 4 files could not be read" in output.err


def test_a_picture_of_48_pixels_is_scored_as_it_is_and_others_are_resized(tmp_path, faces):
    cv2.imwrite(str(tmp_path / "exact.png"), faces[0])
    np.testing.assert_array_equal(faces_of(tmp_path / "exact.png"), faces[:1])
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((100, 150, 3), np.uint8))
    assert faces_of(tmp_path / "wide.png").shape == (1, 48, 48)


@pytest.mark.parametrize("name", ["notes.txt", "nothing.png.zip", ""])
def test_what_holds_no_faces_is_named(tmp_path, name):
    if name:
        (tmp_path / name).touch()
    with pytest.raises(MediaError, match="Expected faces in files that end in"):
        find_faces([tmp_path / name])
