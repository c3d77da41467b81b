import dataclasses
import shutil

import numpy as np
import pytest

from fer_core.emotions import CSV_LABELS, LABELS
from fer_core.errors import ModelError
from fer_core.models.bundle import BUNDLED_ROOT, CARD_FILE
from fer_core.models.card import ModelCard
from fer_core.recognition.pipeline import StreamSettings
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import Detections


@pytest.fixture(scope="module")
def recognizer():
    return EmotionRecognizer("seed-cnn")


@pytest.fixture(scope="module")
def astronaut_bgr():
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[..., ::-1])


def test_a_photo_with_a_face_gives_one_box_and_seven_scores(recognizer, astronaut_bgr):
    result = recognizer.analyze(astronaut_bgr)
    assert result.detections.xyxy.shape == (1, 4)
    assert result.prediction.probs.shape == (1, 7)
    left, top, right, bottom = result.detections.xyxy[0]
    assert left < 224 < right and top < 120 < bottom  # the middle of her face


def test_labels_come_in_the_projects_order(recognizer):
    assert recognizer.labels == LABELS


@pytest.fixture(scope="module")
def renamed(tmp_path_factory):
    """A function that gives the same network, its scores named otherwise."""

    def load(labels):
        folder = shutil.copytree(BUNDLED_ROOT / "seed-cnn", tmp_path_factory.mktemp("models") / "renamed")
        dataclasses.replace(ModelCard.load(folder / CARD_FILE), labels=labels).save(folder / CARD_FILE)
        return EmotionRecognizer(folder)

    return load


def test_scores_of_a_network_with_another_order_come_in_the_projects(recognizer, renamed, astronaut_bgr):
    theirs = renamed(CSV_LABELS)
    assert theirs.labels == LABELS
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    scores, features = recognizer.classify_and_embed(faces)
    expected = scores[:, [CSV_LABELS.index(label) for label in LABELS]]
    np.testing.assert_array_equal(theirs.classify(faces), expected)
    np.testing.assert_array_equal(theirs.classify_and_embed(faces)[0], expected)
    np.testing.assert_array_equal(theirs.classify_and_embed(faces)[1], features)
    (in_photo,) = recognizer.analyze(astronaut_bgr).prediction.probs
    for result in (theirs.analyze(astronaut_bgr), theirs.stream().process(astronaut_bgr, 0.0)):
        assert result.prediction.labels == LABELS
    np.testing.assert_array_equal(
        theirs.analyze(astronaut_bgr).prediction.probs[0], in_photo[[CSV_LABELS.index(label) for label in LABELS]]
    )


def test_other_labels_keep_their_own_order(recognizer, renamed):
    labels = tuple(f"expression {k}" for k in range(7))
    theirs = renamed(labels)
    faces = np.zeros((1, 48, 48), np.uint8)
    assert theirs.labels == labels
    np.testing.assert_array_equal(theirs.classify(faces), recognizer.classify(faces))


def test_a_picture_without_faces_gives_an_empty_result(recognizer):
    result = recognizer.analyze(np.full((480, 640, 3), 128, np.uint8))
    assert result.detections.xyxy.shape == (0, 4)
    assert result.prediction.probs.shape == (0, 7)


def test_two_streams_do_not_share_tracks(recognizer, astronaut_bgr):
    one, other = recognizer.stream(), recognizer.stream()
    for time_s in (0.0, 0.1, 0.2):
        one.process(astronaut_bgr, time_s)
    assert len(other.process(np.zeros((240, 320, 3), np.uint8), 0.3)) == 0
    assert len(one.process(astronaut_bgr, 0.3)) == 1


def test_a_recognizer_for_another_label_set_shares_network_and_detector(three_label_sets, astronaut_bgr):
    recognizer = EmotionRecognizer(three_label_sets)
    assert (recognizer.label_set, recognizer.label_sets) == ("people", ("people", "fer", "votes"))
    fer = recognizer.with_label_set("fer")
    assert fer.detector is recognizer.detector and fer._classifier is recognizer._classifier
    assert (recognizer.label_set, fer.label_set) == ("people", "fer")
    assert (recognizer.uncertain_below, fer.uncertain_below) == (0.31, 0.52)
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    everything = recognizer.classify_all(faces)
    for name in recognizer.label_sets:
        np.testing.assert_array_equal(recognizer.classify(faces, name), everything[name])
    np.testing.assert_array_equal(fer.classify(faces), everything["fer"])
    np.testing.assert_array_equal(fer.classify_and_embed(faces)[0], everything["fer"])
    assert np.abs(everything["fer"] - everything["people"]).max() > 0.01
    (in_photo,) = fer.analyze(astronaut_bgr).prediction.probs
    (in_other,) = recognizer.analyze(astronaut_bgr).prediction.probs
    assert np.abs(in_photo - in_other).max() > 0.01
    stream = recognizer.stream(StreamSettings(label_set="fer", smoothing_s=0))
    (in_stream,) = stream.process(astronaut_bgr, 0.0, confirm_immediately=True).prediction.probs
    expected = fer.stream(StreamSettings(smoothing_s=0)).process(astronaut_bgr, 0.0, confirm_immediately=True)
    np.testing.assert_array_equal(in_stream, expected.prediction.probs[0])


def test_a_label_set_that_a_model_lacks_is_an_error_that_names_those_it_has(recognizer):
    assert recognizer.label_sets == ("fer",)
    with pytest.raises(ModelError, match="no scores for the label set 'votes'. Expected fer"):
        EmotionRecognizer("seed-cnn", label_set="votes")
    with pytest.raises(ModelError, match="Expected fer"):
        recognizer.with_label_set("people")


def test_the_detector_is_the_one_that_is_given(monkeypatch, draw_scene):
    class Fixed:
        def detect(self, gray):
            return Detections(np.array([[10, 10, 90, 90]], np.float32), np.ones(1, np.float32))

    monkeypatch.setattr("fer_core.recognizer.HaarDetector", lambda: pytest.fail("a second detector was built"))
    recognizer = EmotionRecognizer("seed-cnn", detector=Fixed())
    assert recognizer.analyze(draw_scene()).detections.xyxy.tolist() == [[10, 10, 90, 90]]


def test_an_unknown_model_is_an_error():
    with pytest.raises(ModelError, match="nonesuch"):
        EmotionRecognizer("nonesuch")
