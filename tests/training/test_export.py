"""Runs and models as files for other programs, opened there again."""

import shutil
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from fer_core.cli import main
from fer_core.data.demo import demo_set
from fer_core.emotions import LABELS
from fer_core.errors import ModelError, RunError
from fer_core.files import read_json, sha256_of
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.convert import MAX_DIFFERENCE
from fer_core.models.label_sets import LABEL_SETS, score_outputs
from fer_core.models.registry import build
from fer_core.models.weights import load_network
from fer_core.training.config import RunConfig
from fer_core.training.export import MAX_ONNX_INT8_DIFFERENCE, export_model, export_run
from fer_core.training.run.folder import RunFolder

FORMS = ("litert", "onnx", "keras")
BUNDLED = BUNDLED_ROOT / DEFAULT_MODEL


def noise(count: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48), np.uint8)


def finished_run(folder: Path, label_sets: tuple[str, ...] = ()) -> tuple[RunFolder, keras.Model]:
    """Make a finished run of a small network, and that network."""
    run = RunFolder(folder / "run")
    training = {"label_set": "both"} if label_sets else {}
    run.create(RunConfig(architecture="small-cnn", **training))
    network = build("small-cnn", 48, label_sets or ("fer",))
    network.save_weights(run.best_weights_file)
    card = ModelCard("run", "small-cnn", network.count_params(), LABELS, training=training, limits=("A limit.",))
    card.save(run.card_file)
    return run, network


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of a small network, and that network. Tests leave both as they are."""
    return finished_run(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="module")
def finished_with_heads(tmp_path_factory):
    """The same with a head for each of three label sets."""
    return finished_run(tmp_path_factory.mktemp("finished"), LABEL_SETS)


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    """The run in every form, the app's with the weights that training goes on from."""
    folder, (run, _) = tmp_path_factory.mktemp("exported"), finished
    return {form: export_run(run, form, folder / form, noise(), trainable=form == "litert") for form in FORMS}


def outputs_of(network: keras.Model):
    """Return what a network says of the faces, by output if there are several."""
    outputs = network(noise()[..., None].astype(np.float32), training=False)
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def scores_of(path, faces: np.ndarray) -> np.ndarray:
    given = faces[..., None].astype(np.float32)
    if path.suffix == ".keras":
        scores = keras.models.load_model(path, custom_objects={}, compile=False).predict(given, verbose=0)
        return scores["scores"] if isinstance(scores, dict) else scores
    if path.suffix == ".onnx":
        return onnxruntime.InferenceSession(path).run(["scores"], {"faces": given})[0]
    return LiteRTClassifier.from_bundle(load_bundle(path.parent), calibrated=False).classify(faces)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_run_scores_as_its_network_and_carries_the_card(finished, exported, form):
    _, network = finished
    export = exported[form]
    np.testing.assert_allclose(scores_of(export.file, noise()), outputs_of(network), atol=MAX_DIFFERENCE["float16"])
    card = ModelCard.load(export.file.parent / "card.json")
    models = [path for path in export.file.parent.iterdir() if path.name != "card.json"]
    assert export.file in models and card.files == {path.name: sha256_of(path) for path in models}
    assert card.limits == ("A limit.",)
    assert export.difference <= MAX_DIFFERENCE["float16"]
    assert export.bytes == export.file.stat().st_size


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_run_of_both_truths_has_all_heads(finished_with_heads, tmp_path, form):
    run, network = finished_with_heads
    export = export_run(run, form, tmp_path / "out", noise())
    expected = outputs_of(network)
    np.testing.assert_allclose(scores_of(export.file, noise()), expected["scores"], atol=MAX_DIFFERENCE["float16"])
    assert ModelCard.load(tmp_path / "out" / "card.json").label_sets == LABEL_SETS
    if form == "litert":
        bundle = load_bundle(tmp_path / "out")
        scores = LiteRTClassifier.from_bundle(bundle).classify_all(noise())
        for label_set, output in zip(LABEL_SETS, ("scores", "scores_fer", "scores_votes"), strict=True):
            np.testing.assert_allclose(scores[label_set], expected[output], atol=MAX_DIFFERENCE["float16"])


def test_an_onnx_file_takes_any_number_of_faces_and_gives_features_too(exported):
    session = onnxruntime.InferenceSession(exported["onnx"].file)
    for count in (1, 5):
        scores, features = session.run(["scores", "features"], {"faces": np.zeros((count, 48, 48, 1), np.float32)})
        assert (scores.shape, features.shape) == ((count, 7), (count, 64))


def test_a_keras_file_holds_layers_of_keras_alone(exported):
    network = keras.models.load_model(exported["keras"].file)
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}


def test_only_the_model_in_its_place_in_the_run_is_what_can_be_put_live(finished, exported, tmp_path):
    run, _ = finished
    assert exported["litert"].file.exists() and not run.export_file.exists()
    run = RunFolder(shutil.copytree(run.path, tmp_path / "run"))
    export_run(run, "litert", run.model_folder, noise())
    assert read_json(run.export_file)["faces"] == 8


def test_a_run_that_is_not_finished_has_nothing_to_export(new_run, tmp_path):
    with pytest.raises(RunError, match="only a finished run"):
        export_run(new_run(RunConfig()), "onnx", tmp_path / "out", noise())


def test_a_conversion_that_changes_scores_is_refused_and_has_no_card(finished, tmp_path, monkeypatch):
    run, network = finished
    other = build("small-cnn")
    other.set_weights([weight * 3 + 0.1 for weight in network.get_weights()])
    from fer_core.training import export

    real = export.keras_to_onnx
    monkeypatch.setattr(export, "keras_to_onnx", lambda _model, path: real(other, path))
    with pytest.raises(ModelError, match="not usable"):
        export_run(run, "onnx", tmp_path / "out", noise())
    assert not (tmp_path / "out" / "card.json").exists()


@pytest.mark.parametrize(("name", "compared_with", "apart"), [("seed-cnn", "LiteRT", 1e-4), ("compact", "Keras", 5e-2)])
def test_a_bundled_model_becomes_onnx(tmp_path, name, compared_with, apart):
    """From its Keras weights if it has them, else from the app's own form."""
    exported = export_model(BUNDLED_ROOT / name, "onnx", tmp_path / "out", noise())
    assert exported.compared_with == compared_with and exported.difference < 1e-3
    shown = LiteRTClassifier.from_bundle(load_bundle(BUNDLED_ROOT / name)).classify(noise())
    scores = scores_of(exported.file, noise())
    np.testing.assert_allclose(scores, shown, atol=apart)
    assert exported.app_difference == pytest.approx(np.abs(scores - shown).max())
    card = ModelCard.load(tmp_path / "out" / "card.json")
    assert card.metrics == load_bundle(BUNDLED_ROOT / name).card.metrics


def test_onnx_in_integers_is_compared_on_faces_it_was_not_fitted_to(tmp_path):
    faces = demo_set(70).images
    exported = export_model(BUNDLED_ROOT / "seed-cnn", "onnx-int8", tmp_path / "out", faces)
    assert exported.faces == 35 and exported.difference <= MAX_ONNX_INT8_DIFFERENCE
    bundle = load_bundle(BUNDLED_ROOT / "seed-cnn")
    shown = LiteRTClassifier.from_bundle(bundle).classify(faces[1::2])
    apart = np.abs(scores_of(exported.file, faces[1::2]) - shown).max()
    assert exported.app_difference == pytest.approx(apart) and apart > 1e-4
    model = onnx.load(exported.file)
    assert any(tensor.data_type == onnx.TensorProto.UINT8 for tensor in model.graph.initializer)
    assert exported.bytes < 0.4 * bundle.card.parameters * 4


def test_integers_need_real_faces(capsys):
    assert main(["export", "seed-cnn", "--format", "onnx-int8"]) == 1
    assert "--data" in capsys.readouterr().err


def test_calibration_in_the_file_is_the_apps_own(tmp_path):
    """All label sets of the default model, whose calibrations differ, against the same network's LiteRT file."""
    exported = export_model(BUNDLED, "onnx", tmp_path / "out", noise(64))
    card = load_bundle(BUNDLED).card
    outputs = score_outputs(card.label_sets)
    raw_names = {f"{output}_as_trained" for output in outputs.values()}
    model = onnx.load(exported.file)
    assert raw_names <= {name for node in model.graph.node for name in node.output}
    for name in sorted(raw_names):
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 7]))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    faces = noise(64)[..., None].astype(np.float32)
    for label_set, output in outputs.items():
        calibrated, as_trained = session.run([output, f"{output}_as_trained"], {"faces": faces})
        expected = card.calibration_of(label_set).apply(as_trained)
        np.testing.assert_allclose(calibrated, expected, atol=2e-5)


def test_a_bundled_model_as_litert_is_its_own_file(tmp_path):
    exported = export_model(BUNDLED, "litert", tmp_path / "out", noise())
    assert exported.difference is None
    assert exported.sha256 == sha256_of(BUNDLED / "model.tflite")


def test_a_bundled_model_with_weights_becomes_keras(tmp_path):
    exported = export_model(BUNDLED_ROOT / "compact", "keras", tmp_path / "out", noise())
    assert exported.compared_with == "Keras"
    ours = scores_of(BUNDLED_ROOT / "compact" / "model.tflite", noise())
    np.testing.assert_allclose(scores_of(exported.file, noise()), ours, atol=5e-2)


def test_a_bundled_model_without_keras_weights_says_so(tmp_path):
    with pytest.raises(ModelError, match="has no Keras weights"):
        export_model(BUNDLED_ROOT / "seed-cnn", "keras", tmp_path / "out", noise())


def test_the_weights_that_training_goes_on_from_come_along_if_asked_for(finished, exported):
    _, network = finished
    halves = load_network(exported["litert"].file.parent).get_weights()
    for half, whole in zip(halves, network.get_weights(), strict=True):
        np.testing.assert_allclose(half, whole, rtol=1e-3, atol=1e-6)
