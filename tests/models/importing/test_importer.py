"""Models of others, as files: which come in and with which scores, and which are refused and why."""

import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from fer_core.emotions import CSV_LABELS, LABELS
from fer_core.errors import ModelError
from fer_core.models.bundle import load_bundle
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.importing.description import Description
from fer_core.models.importing.importer import import_model
from fer_core.models.registry import build
from tests.models.keras_files import faces, outputs_of, saved, small_network

DESCRIPTION = Description(CSV_LABELS, 24, "-1..1")
PEER = Path(__file__).parents[4] / "shared" / "peers" / "fer2013_mini_XCEPTION.102-0.66.hdf5"


def scores_of(folder, count: int = 8) -> np.ndarray:
    bundle = load_bundle(folder)
    return LiteRTClassifier(bundle.content, bundle.card.labels).classify(faces(count))


def imported(path, tmp_path, **options):
    return import_model(path, tmp_path / "out", "theirs", faces(), **options)


@pytest.fixture(scope="module")
def small_cnn():
    """A registered network whose weights are not those it starts with."""
    network = build("small-cnn")
    rng = np.random.default_rng(1)
    network.set_weights([weight + rng.uniform(0, 0.2, weight.shape) for weight in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def keras_file(small_cnn, tmp_path_factory):
    return saved(small_cnn, tmp_path_factory.mktemp("model") / "run.keras")


def test_a_keras_file_of_a_registered_network_is_recognised(small_cnn, keras_file, tmp_path):
    card = imported(keras_file, tmp_path).card
    np.testing.assert_allclose(scores_of(tmp_path / "out"), outputs_of(small_cnn, faces()[..., None]), atol=5e-3)
    assert (card.name, card.architecture, card.labels) == ("theirs", "small-cnn", LABELS)


def test_the_card_says_where_the_model_came_from(keras_file, tmp_path):
    card = imported(keras_file, tmp_path).card
    assert card.training["imported_from"] == "run.keras"
    assert len(card.training["sha256"]) == 64
    assert "nothing is known of its training data" in card.limits[0]


def test_weights_of_a_run_come_in_under_their_architecture(small_cnn, tmp_path):
    small_cnn.save_weights(tmp_path / "best.weights.h5")
    imported(tmp_path / "best.weights.h5", tmp_path, architecture="small-cnn")
    np.testing.assert_allclose(scores_of(tmp_path / "out"), outputs_of(small_cnn, faces()[..., None]), atol=5e-3)


def test_weights_alone_need_their_architecture_and_the_error_names_it(small_cnn, tmp_path):
    small_cnn.save_weights(tmp_path / "best.weights.h5")
    with pytest.raises(ModelError, match="architecture.*it fits: small-cnn"):
        imported(tmp_path / "best.weights.h5", tmp_path)


def test_weights_of_another_architecture_are_refused(small_cnn, tmp_path):
    small_cnn.save_weights(tmp_path / "best.weights.h5")
    with pytest.raises(ModelError, match="does not hold the weights of seed-cnn: .* were expected and .* came"):
        imported(tmp_path / "best.weights.h5", tmp_path, architecture="seed-cnn")


def test_a_registered_network_with_another_setting_is_refused(small_cnn, tmp_path):
    changed = keras.models.clone_model(
        small_cnn,
        clone_function=lambda layer: (
            layers.Rescaling(1 / 255, name="scale")
            if layer.name == "scale"
            else type(layer).from_config(layer.get_config())
        ),
    )
    with pytest.raises(ModelError, match="scale has scale"):
        imported(saved(changed, tmp_path / "changed.keras"), tmp_path, architecture="small-cnn")


@pytest.mark.parametrize(
    ("name", "scale", "low", "high"),
    [("theirs.keras", "-1..1", -1, 1), ("theirs.h5", "0..1", 0, 1), ("theirs.keras", "0..255", 0, 255)],
)
def test_another_network_gets_faces_as_it_is_described(tmp_path, name, scale, low, high):
    network = small_network(48)
    imported(saved(network, tmp_path / name), tmp_path, description=Description(CSV_LABELS, 48, scale))
    given = faces()[..., None].astype(np.float32) / 255 * (high - low) + low
    np.testing.assert_allclose(scores_of(tmp_path / "out"), outputs_of(network, given), atol=1e-4)


def test_its_labels_keep_the_order_of_its_scores(tmp_path):
    card = imported(saved(small_network(), tmp_path / "theirs.keras"), tmp_path, description=DESCRIPTION).card
    assert card.labels == CSV_LABELS
    assert load_bundle(tmp_path / "out").card.labels == CSV_LABELS


def test_a_wrong_suffix_does_not_matter(tmp_path):
    path = saved(small_network(), tmp_path / "theirs.keras")
    imported(path.rename(tmp_path / "theirs.h5"), tmp_path, description=DESCRIPTION)
    assert scores_of(tmp_path / "out").shape == (8, 7)


def test_features_are_what_the_last_convolution_is_given_averaged_over_the_picture(tmp_path):
    network = small_network(48)
    imported(saved(network, tmp_path / "theirs.keras"), tmp_path, description=Description(CSV_LABELS, 48, "0..255"))
    before = keras.Model(network.inputs, network.layers[-3].input)
    bundle = load_bundle(tmp_path / "out")
    expected = outputs_of(before, faces()[..., None]).mean(axis=(1, 2))
    np.testing.assert_allclose(LiteRTClassifier(bundle.content, bundle.card.labels).embed(faces()), expected, rtol=1e-3)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"channels": 3}, "takes pictures with 3 channels; expected one gray channel"),
        ({"size": 32}, "takes faces of 32×32 pixels, its description says 24×24"),
        ({"outputs": 8}, "gives 8 scores"),
        ({"activation": "linear"}, "Expected a softmax"),
        ({"activation": "sigmoid"}, "Expected a softmax"),
    ],
    ids=["colour", "another size", "eight scores", "no softmax", "sigmoid"],
)
def test_a_network_that_does_not_fit_its_description_is_refused(tmp_path, network, said):
    path = saved(small_network(**network), tmp_path / "theirs.keras")
    with pytest.raises(ModelError, match=said):
        imported(path, tmp_path, description=DESCRIPTION)
    assert not (tmp_path / "out").exists()


@keras.saving.register_keras_serializable("test")
class Theirs(layers.Layer):
    def call(self, x):
        return x


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize(
    ("layer", "said"),
    [(layers.Lambda(lambda x: x), "Lambda layer"), (Theirs(), "Theirs")],
    ids=["Lambda", "a class of its maker's"],
)
def test_what_could_run_code_is_refused_before_keras_sees_it(tmp_path, monkeypatch, layer, said, suffix):
    path = saved(small_network(extra=(layer,)), tmp_path / f"theirs.{suffix}")
    monkeypatch.setattr(keras.models, "load_model", lambda *args, **options: pytest.fail("Keras was given the file"))
    with pytest.raises(ModelError, match=said):
        imported(path, tmp_path, description=DESCRIPTION)


@pytest.mark.parametrize(
    "changes",
    [
        {"module": "os", "class_name": "Dense"},
        {"registered_name": "theirs>Dense"},
        {"class_name": "TFSMLayer"},
        {"config": {"activation": {"class_name": "function", "config": "evil", "module": "os"}}},
        {"config": {"units": 10**9}},
    ],
)
def test_a_doctored_layer_is_refused(tmp_path, changes):
    path = saved(small_network(), tmp_path / "theirs.keras")
    doctored = tmp_path / "doctored.keras"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(doctored, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][1].update(changes)
                content = json.dumps(config)
            new.writestr(name, content)
    with pytest.raises(ModelError, match="not run|Lambda|units"):
        imported(doctored, tmp_path, description=DESCRIPTION)


def test_a_whole_model_of_another_network_needs_a_description(tmp_path):
    for name in ("theirs.keras", "theirs.h5"):
        with pytest.raises(ModelError, match="needs a description"):
            imported(saved(small_network(), tmp_path / name), tmp_path)


@pytest.mark.parametrize("name", ["run.keras", "theirs.h5"])
def test_a_truncated_file_is_refused(keras_file, tmp_path, name):
    whole = keras_file if name == "run.keras" else saved(small_network(), tmp_path / "whole.h5")
    (tmp_path / name).write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(ModelError, match="cut short or altered"):
        imported(tmp_path / name, tmp_path, description=DESCRIPTION)


def test_an_archive_that_would_fill_the_machine_is_not_unpacked(keras_file, tmp_path, monkeypatch):
    monkeypatch.setattr("fer_core.models.importing.inspection.MAX_WEIGHT_BYTES", 1 << 20)
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(keras_file) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("config.json", old.read("config.json"))
        new.writestr("model.weights.h5", bytes(2 << 20))
    assert bomb.stat().st_size < 50_000
    with pytest.raises(ModelError, match="It was not unpacked"):
        imported(bomb, tmp_path)


def test_weights_that_would_fill_the_machine_are_not_opened(tmp_path):
    with h5py.File(tmp_path / "bomb.weights.h5", "w") as file:
        file.create_dataset("layers/dense/vars/0", (1 << 30,), "f4", chunks=True, compression="gzip")
    assert (tmp_path / "bomb.weights.h5").stat().st_size < 50_000
    with pytest.raises(ModelError, match="It was not opened"):
        imported(tmp_path / "bomb.weights.h5", tmp_path, architecture="small-cnn")


def test_weights_that_lie_in_another_file_are_refused(tmp_path):
    with h5py.File(tmp_path / "link.weights.h5", "w") as file:
        file["layers"] = h5py.ExternalLink("/etc/hostname", "/")
    with pytest.raises(ModelError, match="refers to data elsewhere"):
        imported(tmp_path / "link.weights.h5", tmp_path, architecture="small-cnn")


@pytest.mark.parametrize(
    ("content", "said"), [(b"a text", "neither a .keras file nor HDF5"), (b"", "neither a .keras file nor HDF5")]
)
def test_a_file_of_another_kind_is_refused(tmp_path, content, said):
    (tmp_path / "theirs.keras").write_bytes(content)
    with pytest.raises(ModelError, match=said):
        imported(tmp_path / "theirs.keras", tmp_path)


def test_another_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(ModelError, match="not a .keras file"):
        imported(tmp_path / "photos.zip", tmp_path)


def test_the_peer_scores_as_its_authors_network_does(tmp_path):
    if not PEER.is_file():
        pytest.skip(f"{PEER} is not at hand")
    import cv2

    done = imported(PEER, tmp_path, description=Description(CSV_LABELS, 64, "-1..1"))
    theirs = keras.models.load_model(PEER, compile=False)
    given = np.stack([cv2.resize(face, (64, 64)) for face in faces()])[..., None].astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(scores_of(tmp_path / "out"), outputs_of(theirs, given), atol=1e-4)
    assert done.card.parameters == 58_423


def test_weights_come_in_whatever_a_browser_called_them(small_cnn, tmp_path):
    path = tmp_path / "best.weights (1).h5"
    small_cnn.save_weights(tmp_path / "best.weights.h5")
    (tmp_path / "best.weights.h5").rename(path)
    imported(path, tmp_path, architecture="small-cnn")
    np.testing.assert_allclose(scores_of(tmp_path / "out"), outputs_of(small_cnn, faces()[..., None]), atol=5e-3)


def test_a_damaged_archive_is_an_error_in_words(tmp_path):
    path = tmp_path / "x.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": [{"a": n} for n in range(500)]}}))
        archive.writestr("model.weights.h5", bytes(1000))
    content = bytearray(path.read_bytes())
    content[60:200] = bytes(140)
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be unpacked"):
        imported(path, tmp_path)
