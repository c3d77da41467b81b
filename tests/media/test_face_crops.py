"""The faces of a table as the network got them, found again by their rows."""

import numpy as np
import pandas as pd
import pytest

from fer_core.errors import MediaError
from fer_core.media import face_crops
from fer_core.media.face_crops import FaceCropWriter, read_face
from fer_core.recognition.crop import crop_faces, to_gray
from fer_core.types import Detections, FrameResult, Prediction

BOXES = np.array([[10, 10, 70, 70], [80.5, 20, 140.5, 80], [-5, 30, 55, 90]], np.float32)


def result(boxes: np.ndarray) -> FrameResult:
    count = len(boxes)
    prediction = Prediction(np.ones((count, 1), np.float32), ("happy",))
    return FrameResult(0, 0.0, (160, 120), Detections(boxes, np.ones(count)), prediction, np.arange(count))


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)


@pytest.fixture
def written(tmp_path, image):
    """A file with the faces of four frames: one, none, and two of which the last is kept only where there is room."""
    with (tmp_path / "faces.bin").open("wb") as file:
        writer = FaceCropWriter(file)
        for boxes in (BOXES[:1], BOXES[:0], BOXES[1:]):
            writer.add(image, result(boxes))
    return tmp_path / "faces.bin", pd.DataFrame({"face": pd.array([1, None, 1, 2], "Int64")})


def test_each_row_gives_the_face_that_was_classified(written, image):
    path, rows = written
    expected = crop_faces(to_gray(image), BOXES)
    for row, face in zip((0, 2, 3), expected, strict=True):
        np.testing.assert_array_equal(read_face(path, rows, row), face)


def test_no_more_faces_are_kept_than_there_is_room_for(monkeypatch, request):
    monkeypatch.setattr(face_crops, "MAX_FACES", 2)
    path, rows = request.getfixturevalue("written")
    assert read_face(path, rows, 2).shape == (48, 48)
    with pytest.raises(MediaError, match="Only the first 2 faces"):
        read_face(path, rows, 3)


def test_a_file_that_is_gone_is_explained(written):
    path, rows = written
    path.unlink()
    with pytest.raises(MediaError, match="Analyse the files again"):
        read_face(path, rows, 0)
