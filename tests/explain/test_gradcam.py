"""Grad-CAM of converted networks against Keras and TensorFlow's own derivatives of the networks they came from."""

import subprocess
import sys

import numpy as np
import pytest

from fer_core.errors import ModelError
from fer_core.explain.gradcam import GradCam
from fer_core.models.bundle import load_bundle
from fer_core.models.model_store import folder_of
from tests.drawn_faces import demo_set

# Where the part with convolutions ends in each registered network: before pooling, after ReLU.
LAST_LAYER = {
    "seed-cnn": "conv4",
    "small-cnn": "relu3_2",
    "compact": "block4_out",
    "vgg-gap": "relu4_2",
}


@pytest.fixture(scope="module")
def faces():
    return demo_set(70).images[:3]


def converted(model, path, kernels: str = "float32") -> bytes:
    from fer_core.models.convert import to_litert

    to_litert(model, path, kernels)
    return path.read_bytes()


def with_lively_weights(model):
    """Give biases and statistics of an untrained network values unlike 0 and 1, so that each of them counts.

    All are values that float16 holds without loss.
    """
    rng = np.random.default_rng(5)
    lively = [w + np.abs(rng.normal(0, 0.1, w.shape)) if w.ndim == 1 else w for w in model.get_weights()]
    model.set_weights([w.astype(np.float16) for w in lively])
    return model


def keras_gradcam(model, layer: str, faces: np.ndarray, output: str = "scores") -> np.ndarray:
    """Return the maps (n, k, h, w) of a Keras network's output by automatic differentiation."""
    import keras
    import tensorflow as tf

    head = keras.Model(model.get_layer(layer).output, model.get_layer("features").output)
    seen = tf.constant(keras.Model(model.inputs[0], model.get_layer(layer).output)(faces[..., None].astype(np.float32)))
    weights, bias = model.get_layer(output).get_weights()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(seen)
        logits = head(seen, training=False) @ weights + bias
        columns = [logits[:, k] for k in range(logits.shape[1])]
    maps = []
    for column in columns:
        alpha = tf.reduce_mean(tape.gradient(column, seen), axis=(1, 2), keepdims=True)
        maps.append(tf.nn.relu(tf.reduce_sum(alpha * seen, axis=3)))
    return np.stack(maps, axis=1)


@pytest.mark.parametrize("name", LAST_LAYER)
def test_it_equals_automatic_differentiation_of_every_registered_network(name, faces, tmp_path):
    import keras

    from fer_core.models.registry import build

    keras.utils.set_random_seed(0)
    model = with_lively_weights(build(name))
    expected = keras_gradcam(model, LAST_LAYER[name], faces)
    # Without normalisation to fold into them, the weights pass through float16 as they are.
    content = converted(model, tmp_path / "model.tflite", kernels="float16" if name == "seed-cnn" else "float32")
    cells = GradCam(content).cells(faces)
    assert expected.max() > 0
    # A cell that is almost 0 is what is left of large numbers that cancel.
    np.testing.assert_allclose(cells, expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_kernels_of_one_byte_see_what_the_whole_ones_see(faces, tmp_path):
    from fer_core.models.weights import load_network

    model, bytes_ = load_network(folder_of("compact")), load_bundle("compact").content
    assert len(bytes_) < 1.2 * model.count_params()
    whole = converted(model, tmp_path / "whole.tflite", "float32")
    seen, seen_by_bytes = (GradCam(content).cells(faces).ravel() for content in (whole, bytes_))
    assert np.corrcoef(seen, seen_by_bytes)[0, 1] > 0.99


def test_each_label_set_of_one_network_has_its_own_map(three_label_sets, faces):
    from fer_core.models.weights import load_network

    bundle, model = load_bundle(three_label_sets), load_network(three_label_sets)
    maps = []
    for label_set in bundle.card.label_sets:
        output = bundle.card.output_of(label_set)
        expected = keras_gradcam(model, LAST_LAYER["small-cnn"], faces, output)
        maps.append(GradCam(bundle.content, output).cells(faces))
        np.testing.assert_allclose(maps[-1], expected, rtol=2e-2, atol=5e-3 * expected.max())
    assert all(np.abs(maps[0] - other).max() > 0.05 * maps[0].max() for other in maps[1:])


def test_scores_that_a_network_does_not_give_are_an_error():
    with pytest.raises(ModelError, match="output scores_votes; it has features, scores"):
        GradCam(load_bundle("seed-cnn").content, "scores_votes")


def test_every_registered_network_is_among_them():
    from fer_core.models.registry import architectures

    assert set(LAST_LAYER) == set(architectures())


def test_before_a_global_average_and_one_dense_layer_it_is_class_activation_mapping(faces, tmp_path):
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(6, 5, strides=4, activation="relu"),
            layers.Conv2D(5, 3, padding="same", name="seen"),
            layers.GlobalAveragePooling2D(name="features"),
            layers.Dense(7, activation="softmax", name="scores"),
        ]
    )
    seen = keras.Model(model.inputs[0], model.get_layer("seen").output).predict(faces[..., None], verbose=0)
    weights, _ = model.get_layer("scores").get_weights()
    class_activation = np.einsum("nhwc,ck->nkhw", seen, weights)
    cells = GradCam(converted(model, tmp_path / "model.tflite")).cells(faces)
    np.testing.assert_allclose(cells * seen.shape[1] * seen.shape[2], np.maximum(class_activation, 0), atol=1e-4)


def test_an_operator_it_does_not_know_is_named(tmp_path):
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            layers.Conv2D(4, 3, strides=8),
            layers.Flatten(),
            layers.Dense(8, activation="tanh", name="features"),
            layers.Dense(7, activation="softmax", name="scores"),
        ]
    )
    with pytest.raises(ModelError, match="TANH"):
        GradCam(converted(model, tmp_path / "model.tflite"))


def test_a_file_that_is_no_network_is_an_error_in_words():
    with pytest.raises(ModelError, match="not a LiteRT network"):
        GradCam(b"nothing of the kind")


def test_maps_are_as_large_as_the_face_and_do_not_depend_on_the_other_faces(faces):
    cam = GradCam(load_bundle("compact").content)
    maps = cam.explain(faces)
    assert maps.shape == (3, 7, 48, 48) and maps.dtype == np.float32
    assert maps.min() >= 0 and maps.max() > 0
    np.testing.assert_allclose(cam.explain(faces[1:2])[0], maps[1], rtol=1e-4, atol=1e-6)


def test_a_map_has_its_cells_where_they_see(faces):
    """Without padding the original network's 8 × 8 cells do not reach the rim: the outermost lie 9.5 pixels from it."""
    cam = GradCam(load_bundle(folder_of("seed-cnn")).content)
    cells, maps = cam.cells(faces), cam.explain(faces)
    corner, next_to_it = cells[:, :, 0, 0], cells[:, :, 0, 1]
    np.testing.assert_allclose(maps[:, :, 0, 0], corner, rtol=1e-4)
    np.testing.assert_allclose(maps[:, :, 9, 9], corner, rtol=1e-4)
    np.testing.assert_allclose(maps[:, :, 38, 38], cells[:, :, 7, 7], rtol=1e-4)
    np.testing.assert_allclose(maps[:, :, 0, 13], corner / 8 + next_to_it * 7 / 8, rtol=1e-3, atol=1e-4)


def test_it_loads_no_tensorflow():
    code = (
        "import sys, numpy as np\nfrom fer_core.explain.gradcam import GradCam\n"
        "from fer_core.models.bundle import load_bundle\n"
        "GradCam(load_bundle('compact').content).explain(np.zeros((1, 48, 48), np.uint8))\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_mean_of_two_heads_has_the_mean_of_their_maps(faces, tmp_path):
    from fer_core.models.ensemble import Term, save_ensemble

    shares = {"fer": 0.25, "votes": 0.75}
    recipe = {"people": [Term(0, label_set, share) for label_set, share in shares.items()]}
    save_ensemble([folder_of("compact-both")], tmp_path, faces, "mixed", recipe)
    mixed, both = load_bundle(tmp_path), load_bundle("compact-both")
    expected = 0
    for label_set, share in shares.items():
        cam = GradCam(both.content, both.card.output_of(label_set))
        cam.cells(faces)
        seen = cam._interpreter.get_tensor(cam._heads[0].layer)
        expected = expected + share * np.einsum("nkc,nhwc->nkhw", cam._channel_weights(cam._heads[0], seen.shape), seen)
    cells = GradCam(mixed.content).cells(faces)
    assert cells.max() > 0
    np.testing.assert_allclose(cells, np.maximum(expected, 0), atol=0.02 * cells.max())


def test_a_mean_of_several_networks_has_no_single_map():
    with pytest.raises(ModelError, match="mean of several networks"):
        GradCam(load_bundle("accurate").content)
