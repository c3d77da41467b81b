"""One suite that every registered architecture must pass, and a new one through the whole way."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from fer_core.emotions import LABELS
from fer_core.errors import ModelError, RunError
from fer_core.face_size import FACE_SIZE
from fer_core.models import registry
from fer_core.models.bundle import load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.convert import save_bundle
from fer_core.models.label_sets import LABEL_SETS
from fer_core.models.registry import ModelSpec, architectures, build, register, spec_of
from fer_core.training.config import PRESETS, RunConfig
from fer_core.training.export import export_run
from fer_core.training.run.folder import RunFolder

OUTPUTS = ("scores", "scores_fer", "scores_votes")


@pytest.fixture(scope="module", params=architectures())
def model(request):
    return build(request.param)


@pytest.fixture(scope="module", params=architectures())
def with_heads(request):
    """A network with a head for each label set, and weights that tell the heads apart."""
    keras.utils.set_random_seed(0)
    return build(request.param, label_sets=LABEL_SETS)


def faces(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48, 1)).astype(np.float32)


def scores_of(network: keras.Model, images: np.ndarray):
    """Return the scores, by output if there are several; step by step, since compiling takes longer than running."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, network(images, training=False))


def test_scores_are_probabilities_over_the_seven_labels(model):
    scores = scores_of(model, faces(3))
    assert scores.shape == (3, len(LABELS))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_every_label_set_has_a_head_of_its_own_on_the_same_features(model, with_heads):
    scores = scores_of(with_heads, faces(3))
    assert tuple(scores) == OUTPUTS
    for array in scores.values():
        assert array.shape == (3, len(LABELS)) and array.dtype == np.float32
        np.testing.assert_allclose(array.sum(axis=1), 1, atol=1e-5)
    assert np.abs(scores["scores"] - scores["scores_fer"]).max() > 0
    assert len({id(with_heads.get_layer(output).input) for output in OUTPUTS}) == 1


def test_it_has_a_layer_of_features_and_its_own_name(model):
    assert len(model.get_layer("features").output.shape) == 2
    assert model.name in architectures()


def test_it_takes_the_sizes_that_its_entry_says(model):
    if spec_of(model.name).resizable:
        assert scores_of(build(model.name, 32), faces(2)[:, :32, :32]).shape == (2, len(LABELS))
        assert scores_of(build(model.name, None), faces(2)[:, :40, :40]).shape == (2, len(LABELS))
    else:
        with pytest.raises(ModelError, match="48 × 48 pixels only"):
            build(model.name, 32)


def test_saved_weights_give_the_same_scores(with_heads, tmp_path):
    path = tmp_path / "x.weights.h5"
    with_heads.save_weights(path)
    other = build(with_heads.name, label_sets=LABEL_SETS)
    other.load_weights(path)
    loaded = scores_of(other, faces(2))
    for output, scores in scores_of(with_heads, faces(2)).items():
        np.testing.assert_array_equal(loaded[output], scores)


def test_the_apps_form_scores_alike_for_every_label_set(with_heads, tmp_path):
    card = ModelCard("x", with_heads.name, with_heads.count_params(), LABELS, label_sets=LABEL_SETS)
    images = faces(8)[..., 0].astype(np.uint8)
    difference = save_bundle(with_heads, card, tmp_path, images, spec_of(with_heads.name).kernels)
    assert difference > 0
    scores = LiteRTClassifier.from_bundle(load_bundle(tmp_path)).classify_all(images)
    expected = scores_of(with_heads, images[..., None])
    for label_set, output in zip(LABEL_SETS, OUTPUTS, strict=True):
        np.testing.assert_allclose(scores[label_set], expected[output], atol=difference + 1e-6)


def test_two_training_steps_change_all_weights(with_heads):
    # Two, since a block that starts as the identity passes nothing back before its scale has moved.
    before = [weight.numpy().copy() for weight in with_heads.trainable_weights]
    with_heads.compile("adam", "categorical_crossentropy", run_eagerly=True)
    targets = np.eye(7, dtype=np.float32)[:4]
    for _ in range(2):
        with_heads.train_on_batch(faces(4), dict.fromkeys(OUTPUTS, targets))
    assert all(np.any(weight.numpy() != old) for weight, old in zip(with_heads.trainable_weights, before, strict=True))


@pytest.mark.parametrize("name", architectures())
def test_its_preset_trains_it(name):
    preset = spec_of(name).preset
    assert preset is None or PRESETS[preset].architecture == name


def test_the_original_network_has_its_number_of_parameters():
    assert build("seed-cnn").count_params() == 2_345_607


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelError, match="seed-cnn"):
        build("nonesuch")


def test_listing_names_does_not_load_keras():
    code = (
        "import sys; from fer_core.models.registry import architectures, resizable, spec_of; "
        "assert resizable('compact') and spec_of('compact').kernels == 'int8' and architectures(); "
        "sys.exit('keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def tiny() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((FACE_SIZE, FACE_SIZE, 1), name="face"),
            layers.Rescaling(1 / 255, name="scale"),
            layers.Conv2D(4, 5, strides=4, activation="relu", name="conv"),
            layers.GlobalAveragePooling2D(name="features"),
            layers.Dense(len(LABELS), activation="softmax", name="scores"),
        ],
        name="tiny",
    )


@pytest.fixture
def registered(monkeypatch):
    """A registry that a test may add to."""
    monkeypatch.setattr(registry, "_specs", dict(registry._specs))


@pytest.mark.usefixtures("registered")
def test_one_entry_is_enough_to_build_configure_and_export_a_new_network(tmp_path):
    register(ModelSpec("tiny", tiny, kernels="float32"))
    assert "tiny" in architectures()
    assert set(build("tiny", label_sets=("people", "votes")).output) == {"scores", "scores_votes"}
    run = RunFolder(tmp_path / "run")
    run.create(RunConfig(architecture="tiny"))
    with pytest.raises(RunError, match="48 pixels only"):
        RunConfig(architecture="tiny", initial_size=32)
    network = build("tiny")
    network.save_weights(run.best_weights_file)
    ModelCard("run", "tiny", network.count_params(), LABELS).save(run.card_file)
    images = faces(8)[..., 0].astype(np.uint8)
    assert export_run(run, "litert", tmp_path / "out", images).difference < 1e-5  # as its entry says, float32
    scores = LiteRTClassifier.from_bundle(load_bundle(tmp_path / "out")).classify(images)
    np.testing.assert_allclose(scores, network.predict(images[..., None], verbose=0), atol=1e-5)


@pytest.mark.usefixtures("registered")
def test_a_name_is_registered_once():
    with pytest.raises(ModelError, match="registered already"):
        register(ModelSpec("compact", tiny))


def test_kernels_that_there_are_not_are_an_error():
    with pytest.raises(ModelError, match="float32, float16, int8"):
        ModelSpec("tiny", tiny, kernels="int4")
