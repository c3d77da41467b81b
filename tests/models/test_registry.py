"""One suite that every registered architecture must pass."""

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.models.registry import architectures, build


@pytest.fixture(scope="module", params=architectures())
def model(request):
    return build(request.param)


def faces(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48, 1)).astype(np.float32)


def test_scores_are_probabilities_over_the_seven_labels(model):
    scores = model.predict(faces(3), verbose=0)
    assert scores.shape == (3, len(LABELS))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_it_has_a_layer_of_features(model):
    assert len(model.get_layer("features").output.shape) == 2


def test_saved_weights_give_the_same_scores(model, tmp_path):
    path = tmp_path / "x.weights.h5"
    model.save_weights(path)
    other = build(model.name)
    other.load_weights(path)
    np.testing.assert_array_equal(model.predict(faces(2), verbose=0), other.predict(faces(2), verbose=0))


def test_a_training_step_changes_the_weights(model):
    before = [weight.numpy().copy() for weight in model.trainable_weights]
    model.compile("adam", "categorical_crossentropy")
    model.train_on_batch(faces(4), np.eye(7, dtype=np.float32)[:4])
    assert all(np.any(weight.numpy() != old) for weight, old in zip(model.trainable_weights, before, strict=True))


def test_the_original_network_has_its_number_of_parameters():
    assert build("seed-cnn").count_params() == 2_345_607


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelError, match="seed-cnn"):
        build("nonesuch")
