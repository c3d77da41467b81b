"""What the recognizer takes, and what its results turn into."""

import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_core.emotions import LABELS
from fer_core.errors import MediaError
from fer_core.imaging.video import write_video
from fer_core.models.bundle import BUNDLED_ROOT
from fer_core.models.model_store import add_model
from fer_core.recognizer import EmotionRecognizer


@pytest.fixture(scope="module")
def recognizer():
    return EmotionRecognizer()


@pytest.fixture(scope="module")
def picture(draw_scene):
    return draw_scene((200, 240, 120), (460, 240, 110))


def test_a_picture_is_the_same_from_anywhere(recognizer, picture, tmp_path):
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), picture)
    sources = [picture, path, str(path), path.read_bytes(), Image.fromarray(picture[:, :, ::-1])]
    results = recognizer.analyze(sources)
    assert [len(result) for result in results] == [2] * len(sources)
    for result in results:
        np.testing.assert_array_equal(result.prediction.probs, results[0].prediction.probs)


@pytest.mark.parametrize("source", [None, 3.5, "nowhere.jpg", b"no picture"])
def test_what_is_no_picture_is_refused_in_words(recognizer, source):
    with pytest.raises(MediaError, match="Expected a path|cannot be read"):
        recognizer.analyze(source)


def test_a_result_is_a_table_and_json(recognizer, picture):
    result = recognizer.analyze(picture)
    table = result.to_pandas()
    quality = ["face_size_px", "sharpness", "brightness", "detector_score", "valid", "not_valid_because"]
    assert list(table) == ["face", "left", "top", "right", "bottom", *quality, "expression", *LABELS]
    assert table["face"].tolist() == [1, 2]
    np.testing.assert_allclose(table[list(LABELS)], result.prediction.probs)
    content = json.loads(json.dumps(result.to_dict()))
    assert [face["expression"] for face in content["faces"]] == table["expression"].tolist()
    assert (content["width"], content["height"]) == (640, 480)
    assert len(recognizer.analyze(np.zeros((90, 90), np.uint8)).to_pandas()) == 0


def test_a_video_gives_its_frames_one_by_one(recognizer, tmp_path, draw_scene):
    path = tmp_path / "walk.mp4"
    with write_video(path, Fraction(10)) as writer:
        for index in range(10):
            writer.write(draw_scene((200 + 3 * index, 240, 120)), index / 10)
    results = list(recognizer.analyze_video(path))
    assert [(result.index, len(result)) for result in results] == [(index, 1) for index in range(10)]
    assert [result.index for result in recognizer.analyze_video(str(path), every_s=0.5)] == [0, 5]


def test_a_model_that_was_added_is_found_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    add_model(BUNDLED_ROOT / "seed-cnn", "mine")
    assert EmotionRecognizer("mine").card.architecture == "seed-cnn"
