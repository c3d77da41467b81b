import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import FaceSet
from fer_core.emotions import LABELS
from fer_core.errors import DataError, ModelError
from fer_core.evaluation import scoring
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.evaluation.scoring import (
    Scores,
    find_scores,
    score,
    score_robustness,
    score_split,
)
from fer_core.models.bundle import load_bundle


class LeftBrightness:
    """Scores a face by the brightness of its left half; labels in another order than the project's."""

    labels = LABELS[::-1]

    def classify(self, faces):
        left = faces[:, :, :24].mean((1, 2)) / 255
        probs = np.zeros((len(faces), 7), np.float32)
        probs[:, 0], probs[:, 1] = left, 1 - left
        return probs


@pytest.fixture
def images():
    image = np.zeros((1, 48, 48), np.uint8)
    image[:, :, :24] = 255
    return image


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    return FaceSet(
        rng.integers(0, 256, (20, 48, 48), np.uint8), rng.integers(0, 7, 20), np.repeat(np.array([0, 1], np.uint8), 10)
    )


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))


def test_scores_come_in_the_projects_label_order(images):
    assert score(LeftBrightness(), images)[0].tolist() == [0, 0, 0, 0, 0, 0, 1]


def test_flip_is_the_mean_of_both_views():
    scores = Scores(np.eye(7, dtype=np.float32)[[6]], np.eye(7, dtype=np.float32)[[5]], 1.0)
    np.testing.assert_allclose(scores.with_flip[0], [0, 0, 0, 0, 0, 0.5, 0.5])


def test_foreign_labels_are_refused(images):
    classifier = LeftBrightness()
    classifier.labels = ("a", "b", "c", "d", "e", "f", "g")
    with pytest.raises(ModelError, match="angry"):
        score(classifier, images)


def test_a_split_is_scored_as_it_is_and_mirrored(faces):
    bundle = load_bundle("seed-cnn")
    scores = score_split(bundle, faces, "PublicTest")
    classifier = scoring.classifier_of(bundle)
    some = np.array(faces.images[10:])
    np.testing.assert_allclose(scores.probs, classifier.classify(some), atol=1e-6)
    np.testing.assert_allclose(scores.mirrored, classifier.classify(np.ascontiguousarray(some[:, :, ::-1])), atol=1e-6)
    assert scores.ms_per_face > 0


def test_nothing_is_computed_twice(faces, monkeypatch):
    bundle = load_bundle("seed-cnn")
    assert find_scores(bundle, faces.hash, "PublicTest") is None
    first = score_split(bundle, faces, "PublicTest")
    monkeypatch.setattr(scoring, "classifier_of", None)
    np.testing.assert_array_equal(score_split(bundle, faces, "PublicTest").probs, first.probs)


class TwoHeads(LeftBrightness):
    """Scores for two label sets: the second is the first with all columns moved by one."""

    def classify_all(self, faces):
        people = self.classify(faces)
        return {"people": people, "fer": np.roll(people, 1, axis=1)}


def test_every_label_set_is_scored_and_kept_under_its_name(faces, monkeypatch):
    bundle = load_bundle("seed-cnn")
    bundle = dataclasses.replace(bundle, card=dataclasses.replace(bundle.card, label_sets=("people", "fer")))
    monkeypatch.setattr(scoring, "classifier_of", lambda bundle: TwoHeads())
    scores = score_split(bundle, faces, "PublicTest")
    by_label_set = scores.by_label_set(bundle.card)
    assert list(by_label_set) == ["people", "fer"]
    np.testing.assert_array_equal(by_label_set["people"].probs, score(TwoHeads(), faces.images[10:]))
    np.testing.assert_array_equal(by_label_set["fer"].probs, np.roll(scores.probs, -1, axis=1))
    kept = find_scores(bundle, faces.hash, "PublicTest").by_label_set(bundle.card)
    np.testing.assert_array_equal(kept["fer"].mirrored, by_label_set["fer"].mirrored)
    folder = scoring.cache_folder(faces.hash)
    assert sorted("-fer-" in path.name for path in folder.glob("scores-*")) == [False, True]


def test_scores_of_one_label_set_do_not_stand_for_two(faces):
    bundle = load_bundle("seed-cnn")
    score_split(bundle, faces, "PublicTest")
    two = dataclasses.replace(bundle, card=dataclasses.replace(bundle.card, label_sets=("people", "fer")))
    assert find_scores(bundle, faces.hash, "PublicTest") is not None
    assert find_scores(two, faces.hash, "PublicTest") is None


def test_progress_counts_both_views(faces):
    told = []
    score_split(load_bundle("seed-cnn"), faces, "PublicTest", lambda done, total: told.append((done, total)))
    assert told == [(10, 20), (20, 20)]


def test_robustness_has_a_figure_for_every_level_and_is_kept(faces, monkeypatch):
    bundle = load_bundle("seed-cnn")
    found = score_robustness(bundle, faces, "PublicTest")
    assert {name: tuple(level.level for level in levels) for name, levels in found.items()} == {
        name: corruption.levels for name, corruption in CORRUPTIONS.items()
    }
    probs = score_split(bundle, faces, "PublicTest").probs
    clean = float(np.mean(probs.argmax(1) == faces.labels[10:]))
    assert all(accuracy == clean for levels in found.values() for level, accuracy in levels if level == 0)
    monkeypatch.setattr(scoring, "classifier_of", None)
    assert score_robustness(bundle, faces, "PublicTest") == found


def test_a_split_that_is_not_there_is_an_error_in_words(faces):
    with pytest.raises(DataError, match="no images in PrivateTest"):
        score_split(load_bundle("seed-cnn"), faces, "PrivateTest")


def test_the_same_network_with_other_labels_is_another_model(faces):
    """Which score means what does not stand in the network's file."""
    bundle = load_bundle("seed-cnn")
    turned = dataclasses.replace(bundle, card=dataclasses.replace(bundle.card, labels=LABELS[::-1]))
    first, second = (score_split(each, faces, "PublicTest").probs for each in (bundle, turned))
    np.testing.assert_array_equal(first, second[:, ::-1])
