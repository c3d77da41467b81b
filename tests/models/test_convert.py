"""Weights of the original script, and the way from a Keras network to the app's form."""

import h5py
import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.models import convert
from fer_core.models.card import ModelCard
from fer_core.models.importing.original_weights import load_original_weights
from fer_core.models.registry import build


def write_keras2_weights(path, model, nested: bool = False) -> None:
    """Write HDF5 the way Keras 2's save_weights did: layers in order, kernel:0 and bias:0 below each."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if nested else file
        layers = [layer for layer in model.layers if layer.name != "scale"]
        root.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        root.attrs["backend"] = b"tensorflow"
        for layer in layers:
            group = root.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = weight.numpy()


def faces(count: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48), np.uint8)


@pytest.fixture(scope="module")
def model():
    return build("seed-cnn")


@pytest.mark.parametrize("nested", [False, True], ids=["weights", "whole model"])
def test_original_weights_give_the_original_scores(model, tmp_path, nested):
    write_keras2_weights(tmp_path / "model.h5", model, nested)
    loaded = load_original_weights(tmp_path / "model.h5")
    np.testing.assert_array_equal(
        loaded.predict(faces()[..., None], verbose=0), model.predict(faces()[..., None], verbose=0)
    )


def test_a_missing_weights_file_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="is not a file"):
        load_original_weights(tmp_path / "model.h5")


def test_a_truncated_weights_file_is_an_error(model, tmp_path):
    path = tmp_path / "model.h5"
    write_keras2_weights(path, model)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match="cannot be read"):
        load_original_weights(path)


def test_hdf5_that_is_not_keras_weights_is_an_error(tmp_path):
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(ModelError, match="not Keras 2 weights"):
        load_original_weights(tmp_path / "model.h5")


def test_weights_of_another_network_are_an_error(tmp_path):
    import keras

    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    write_keras2_weights(tmp_path / "model.h5", other)
    with pytest.raises(ModelError, match="expected"):
        load_original_weights(tmp_path / "model.h5")


def test_a_conversion_that_changes_scores_is_refused(model, tmp_path, monkeypatch):
    other = build("seed-cnn")
    other.set_weights([weight * 3 + 0.1 for weight in model.get_weights()])
    to_litert = convert.to_litert
    monkeypatch.setattr(convert, "to_litert", lambda _model, path, kernels: to_litert(other, path, kernels))
    card = ModelCard("x", "seed-cnn", model.count_params(), LABELS)
    with pytest.raises(ModelError, match="differs"):
        convert.save_bundle(model, card, tmp_path, faces())
    assert not (tmp_path / "card.json").exists()


def test_kernels_of_one_byte_are_small_and_score_alike(tmp_path):
    model = build("compact")
    card = ModelCard("x", "compact", model.count_params(), LABELS)
    difference = convert.save_bundle(model, card, tmp_path, faces(), "int8")
    assert 0 < difference < convert.MAX_DIFFERENCE["int8"]
    assert (tmp_path / "model.tflite").stat().st_size < model.count_params() * 1.1
