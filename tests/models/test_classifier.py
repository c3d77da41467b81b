import dataclasses
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fer_core.errors import ModelError
from fer_core.models.bundle import load_bundle
from fer_core.models.classifier import MAX_BATCH, LiteRTClassifier


@pytest.fixture(scope="module")
def classifier():
    bundle = load_bundle()
    return LiteRTClassifier(bundle.content, bundle.card.labels)


def faces(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48), np.uint8)


@pytest.mark.parametrize("count", [0, 1, 4, MAX_BATCH + 1])
def test_scores_are_probabilities(classifier, count):
    scores = classifier.classify(faces(count))
    assert scores.shape == (count, 7)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_a_face_scores_the_same_in_any_batch(classifier):
    images = faces(MAX_BATCH + 5)
    together = classifier.classify(images)
    alone = np.concatenate([classifier.classify(images[i : i + 1]) for i in (0, 3, MAX_BATCH + 4)])
    np.testing.assert_allclose(together[[0, 3, MAX_BATCH + 4]], alone, atol=1e-5)


def test_permuting_faces_permutes_scores(classifier):
    images, order = faces(9), np.random.default_rng(1).permutation(9)
    np.testing.assert_allclose(classifier.classify(images[order]), classifier.classify(images)[order], atol=1e-5)


def test_threads_do_not_disturb_each_other(classifier):
    batches = [faces(1 + seed % 5, seed) for seed in range(40)]
    expected = [classifier.classify(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(classifier.classify, batches))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_features_have_one_row_a_face(classifier):
    assert classifier.embed(faces(3)).shape == (3, classifier.embed(faces(1)).shape[1])


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 48, 48)), np.zeros((48, 48), np.uint8), np.zeros((1, 64, 64), np.uint8)]
)
def test_other_shapes_and_types_are_refused(classifier, wrong):
    with pytest.raises(ValueError, match="uint8"):
        classifier.classify(wrong)


def test_each_label_set_has_the_scores_of_its_own_head_calibrated_as_the_card_says(three_label_sets):
    from fer_core.models.convert import predict_scores
    from fer_core.models.weights import load_network

    bundle, images = load_bundle(three_label_sets), faces(5)
    calibrated, plain = (LiteRTClassifier.from_bundle(bundle, calibrated) for calibrated in (True, False))
    assert plain.label_sets == ("people", "fer", "votes")
    expected = predict_scores(load_network(three_label_sets), images)
    scores = plain.classify_all(images)
    for name, output in (("people", "scores"), ("fer", "scores_fer"), ("votes", "scores_votes")):
        np.testing.assert_allclose(scores[name], expected[output], atol=5e-3)
        np.testing.assert_array_equal(plain.classify(images, name), scores[name])
        after = bundle.card.calibration_of(name).apply(scores[name])
        np.testing.assert_allclose(calibrated.classify(images, name), after, atol=1e-6)
        np.testing.assert_array_equal(plain.classify_and_embed(images, name)[1], plain.embed(images))
    np.testing.assert_array_equal(plain.classify(images), scores["people"])
    assert np.abs(calibrated.classify(images, "fer") - scores["fer"]).max() > 0.01


def test_a_card_with_other_label_sets_than_its_network_is_refused(three_label_sets):
    several, one = load_bundle(three_label_sets), load_bundle()
    for bundle, label_sets in ((several, ("people", "fer")), (one, ("people", "fer"))):
        card = dataclasses.replace(bundle.card, label_sets=label_sets)
        with pytest.raises(ModelError, match="do not belong together"):
            LiteRTClassifier.from_bundle(dataclasses.replace(bundle, card=card))


def test_a_label_set_that_a_network_lacks_is_an_error(classifier):
    with pytest.raises(ModelError, match="no scores for the label set 'votes'"):
        classifier.classify(faces(1), "votes")


def test_content_that_is_no_network_is_a_model_error():
    with pytest.raises(ModelError, match="not a LiteRT network"):
        LiteRTClassifier(b"no network at all", ("a",))


def test_labels_of_another_length_are_a_model_error():
    with pytest.raises(ModelError, match="do not belong together"):
        LiteRTClassifier(load_bundle().content, ("angry", "happy"))


def test_classifying_loads_neither_tensorflow_nor_keras():
    code = (
        "import sys, numpy as np; from fer_core.recognizer import EmotionRecognizer; r = EmotionRecognizer(); "
        "r.classify(np.zeros((1, 48, 48), np.uint8)); r.analyze(np.zeros((240, 320, 3), np.uint8)); "
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras', 'streamlit')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
