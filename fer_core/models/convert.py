"""Turn a Keras network into the LiteRT file that the app classifies with.

This needs TensorFlow, so it runs in training and converting processes, never in the web server.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import keras
import numpy as np

from fer_core.errors import ModelError
from fer_core.files import atomic_path, sha256_of
from fer_core.models.bundle import CARD_FILE, MODEL_FILE, Bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import FEATURES, LiteRTClassifier
from fer_core.models.label_sets import SCORES

# Float16 weights move a score by some 1e-4, weights of one byte by some 1e-2 at most; anything beyond is a broken
# conversion.
MAX_DIFFERENCE = {"float32": 5e-3, "float16": 5e-3, "int8": 5e-2}
_BATCH = 256


def save_bundle(
    model: keras.Model, card: ModelCard, folder: Path, faces: np.ndarray, kernels: str = "float16"
) -> float:
    """Write `model` and `card` to `folder` in the form the app uses, after checking it against Keras.

    Args:
        model: the trained network, as `to_litert` takes it.
        card: its card, with its label sets; the converted file's hash is added.
        folder: where `model.tflite` and `card.json` go.
        faces: uint8 (n, 48, 48) that both forms must score alike.
        kernels: how they are stored, see `to_litert`.

    Returns:
        The largest difference between the scores of both forms, for any label set, 0 to 1.

    Raises:
        ModelError: the scores differ by more than `MAX_DIFFERENCE` of these kernels, or are not those of the card's
            label sets.
    """
    path = folder / MODEL_FILE
    to_litert(model, path, kernels)
    classifier = LiteRTClassifier.from_bundle(Bundle(card, path.read_bytes()), calibrated=False)
    expected = predict_scores(model, faces)
    difference = max(
        float(np.abs(scores - expected[card.output_of(label_set)]).max())
        for label_set, scores in classifier.classify_all(faces).items()
    )
    if not difference <= MAX_DIFFERENCE[kernels]:
        raise ModelError(
            f"The converted network differs from the trained one by {difference:.2g} on {len(faces)} "
            f"faces; expected at most {MAX_DIFFERENCE[kernels]:.2g}. {folder} is not usable."
        )
    dataclasses.replace(card, files={MODEL_FILE: sha256_of(path)}).save(folder / CARD_FILE)
    return difference


def to_litert(model: keras.Model, path: Path, kernels: str = "float16") -> None:
    """Write `model` to `path` with one signature: `faces` in; `scores`, those of other label sets, and `features` out.

    Args:
        model: takes float32 (n, 48, 48, 1), 0 to 255, and is what `with_features` takes.
        path: the LiteRT file.
        kernels: "float32"; "float16", which the runtime unpacks to float32 once, so that it halves the file and
            costs no time; or "int8", a byte each with a scale for each channel: the runtime then brings each face's
            activations to a byte too and multiplies in integers.

    Raises:
        ModelError: it has a layer that LiteRT cannot do.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert import ConverterError

    network = with_features(model)
    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint(
        "serve",
        lambda faces: network(faces, training=False),
        input_signature=[tf.TensorSpec((None, 48, 48, 1), tf.float32, name="faces")],
    )
    with tempfile.TemporaryDirectory() as folder:
        # Through a saved model: straight from a concrete function, the weights would stay outside the file.
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
        if kernels != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kernels == "float16":
            converter.target_spec.supported_types = [tf.float16]
        try:
            content = converter.convert()
        except ConverterError as error:
            raise ModelError(
                f"The network {model.name} has a layer that LiteRT, the runtime of the app, cannot do: "
                f"{str(error).strip().splitlines()[0][:200]}. Train it without that layer."
            ) from error
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def with_features(model: keras.Model) -> keras.Model:
    """Return a network that gives the scores of every label set, (n, k) each, and the `features` before them (n, d).

    Args:
        model: gives all of these already, or scores alone and has a layer named `features`. Scores come as one
            array, or as a dictionary with `scores` and, for further label sets, `scores_<name>`.
    """
    outputs = _score_tensors(model)
    if FEATURES in outputs:
        return model
    return keras.Model(model.inputs[0], {**outputs, FEATURES: model.get_layer(FEATURES).output})


def predict_scores(model: keras.Model, faces: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores of faces by Keras, by the name of the output: `scores`, `scores_<name>`.

    Args:
        model: what `with_features` takes.
        faces: uint8 (n, 48, 48), gray.

    Returns:
        float32 (n, k) each; rows sum to 1.
    """
    arrays = model.predict(faces[..., None], batch_size=_BATCH, verbose=0)
    if not isinstance(arrays, dict):
        return {SCORES: arrays}
    return {name: array for name, array in arrays.items() if name != FEATURES}


def _score_tensors(model: keras.Model) -> dict[str, keras.KerasTensor]:
    if len(model.outputs) == 1:
        return {SCORES: model.outputs[0]}
    return dict(model.output)
