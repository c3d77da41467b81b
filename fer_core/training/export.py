"""Turn a finished run, or a model of the app, into a file for the app or for other programs.

Each form is checked against the one it came from on the same faces, and carries the card along.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from fer_core.background.steps import Steps, log_steps
from fer_core.data.face_set import FaceSet
from fer_core.errors import ModelError, RunError
from fer_core.files import sha256_of, write_json
from fer_core.models.bundle import CARD_FILE, KERAS_FILE, MODEL_FILE, WEIGHTS_FILE, Bundle, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.convert import MAX_DIFFERENCE, predict_scores, save_bundle
from fer_core.models.keras_file import save_keras
from fer_core.models.label_sets import SCORES, score_outputs
from fer_core.models.onnx_export import (
    ONNX_FILE,
    OnnxClassifier,
    calibrate_outputs,
    keras_to_onnx,
    litert_to_onnx,
    quantize,
)
from fer_core.models.registry import build, spec_of
from fer_core.models.timing import ms_per_face
from fer_core.models.weights import load_network, save_weights
from fer_core.trained_on import carry_fingerprint
from fer_core.training.run.folder import RunFolder

CHECKED_FACES = 256
ONNX, ONNX_INT8 = "onnx", "onnx-int8"

# Of 1,888 faces of PublicTest the largest difference was 0.07 for the default model; one face in a hundred has more
# than 0.035. An overflow gives 0.2 and more.
MAX_ONNX_INT8_DIFFERENCE = 0.1


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        file: path of the model; `card.json` lies beside it.
        difference: largest difference of its scores from those of the form it was made from, 0 to 1;
            None where it is that form.
        compared_with: that form, "Keras" or "LiteRT".
        app_difference: of ONNX, largest difference of its scores, which are calibrated, from those that the app gives
            by the model's own file, 0 to 1; None where there is no such file.
        bytes: size of the file.
        ms_per_face: for one face in the form's own runtime on this machine; None for Keras.
        sha256: of the file.
        faces: how many faces were compared; with ONNX of integers, none that its ranges were taken from.
    """

    file: Path
    difference: float | None
    compared_with: str
    bytes: int
    ms_per_face: float | None
    sha256: str
    faces: int
    app_difference: float | None = None


def export_run(
    run: RunFolder,
    form: str,
    folder: Path,
    faces: np.ndarray,
    trainable: bool = False,
    steps: Steps = log_steps,
) -> Exported:
    """Write the run's result and its card in one form.

    What is measured of the app's own form in its place in the run's folder also goes to `export.json` there.

    Args:
        run: a finished run.
        form: "litert", "onnx", "onnx-int8" or "keras".
        folder: where the model and its card go.
        faces: uint8 (n, 48, 48) on which both forms are compared; with "onnx-int8", every other one tells the ranges
            of its values instead.
        trainable: with the app's own form also write the weights that training can go on from.
        steps: called as each step begins.

    Raises:
        RunError: the run is not finished.
        ModelError: the card or the weights cannot be read, or the conversion went wrong.
    """
    if not run.card_file.exists():
        raise RunError(f"The run {run.name!r} has no card yet: only a finished run becomes a model. Resume it.")
    steps(0, 3, f"reading {run.weights_file.name}")
    card = ModelCard.load(run.card_file)
    model = build(card.architecture, label_sets=card.label_sets, classes=len(card.labels))
    model.load_weights(run.weights_file)
    steps(1, 3, f"converting {card.parameters:,} parameters")
    exported = _export_network(run, model, card, form, folder, faces, trainable, steps)
    carry_fingerprint([card], folder)
    return exported


def _export_network(
    run: RunFolder,
    model: keras.Model,
    card: ModelCard,
    form: str,
    folder: Path,
    faces: np.ndarray,
    trainable: bool,
    steps: Steps,
) -> Exported:
    if form == "litert":
        difference = save_bundle(model, card, folder, faces, spec_of(card.architecture).kernels)
        exported = _litert(folder, difference, faces, steps)
        if trainable:
            save_weights(model, folder)
        if folder == run.model_folder:
            write_json(
                run.export_file,
                {
                    "difference": exported.difference,
                    "faces": len(faces),
                    "bytes": exported.bytes,
                    "ms_per_face": exported.ms_per_face,
                    "weights_sha256": sha256_of(run.weights_file),
                },
            )
        return exported
    expected = predict_scores(model, faces)[SCORES]
    if form == "keras":
        return _keras(model, card, folder, faces, expected, steps)
    exported = _onnx(lambda path: keras_to_onnx(model, path), form, card, folder, faces, expected, steps)
    return _compared_with_app(exported, run.model_folder, faces)


def export_model(source: Path, form: str, folder: Path, faces: np.ndarray, steps: Steps = log_steps) -> Exported:
    """Write a model of the app and its card in another form.

    Args:
        source: a folder with `model.tflite` and `card.json`.
        form, folder, faces, steps: as in `export_run`.

    Raises:
        ModelError: the model is not whole, or has no weights for this form.
    """
    bundle = load_bundle(source)
    exported = _export_bundle(source, bundle, form, folder, faces, steps)
    if form in (ONNX, ONNX_INT8):
        exported = _compared_with_app(exported, source, faces)
    carry_fingerprint([bundle.card], folder)
    return exported


def _export_bundle(source: Path, bundle: Bundle, form: str, folder: Path, faces: np.ndarray, steps: Steps) -> Exported:
    if form == "litert":
        folder.mkdir(parents=True, exist_ok=True)
        for name in (MODEL_FILE, CARD_FILE):
            shutil.copyfile(source / name, folder / name)
        return _litert(folder, None, faces, steps)
    if form == "keras" or (source / WEIGHTS_FILE).is_file():
        steps(1, 3, "building the network")
        model = load_network(source)
        expected = predict_scores(model, faces)[SCORES]
        return (
            _keras(model, bundle.card, folder, faces, expected, steps)
            if form == "keras"
            else _onnx(lambda path: keras_to_onnx(model, path), form, bundle.card, folder, faces, expected, steps)
        )
    steps(1, 3, f"translating {MODEL_FILE}")
    expected = LiteRTClassifier.from_bundle(bundle, calibrated=False).classify(faces)
    return _onnx(
        lambda path: litert_to_onnx(source / MODEL_FILE, path),
        form,
        bundle.card,
        folder,
        faces,
        expected,
        steps,
        "LiteRT",
        # LiteRT may round activations to a byte where ONNX computes with the same weights in float32.
        MAX_DIFFERENCE["int8"],
    )


def checked_faces(faces: FaceSet, run: RunFolder) -> np.ndarray:
    """Return uint8 (n, 48, 48): 256 faces, first those that the run was validated on."""
    first = faces.rows_of(*run.config().validation_splits)
    rows = np.concatenate([first, np.setdiff1d(np.arange(len(faces)), first)])[:CHECKED_FACES]
    return np.array(faces.images[rows])


def _litert(folder: Path, difference: float | None, faces: np.ndarray, steps: Steps) -> Exported:
    bundle = load_bundle(folder)
    classifier = LiteRTClassifier.from_bundle(bundle, calibrated=False)
    steps(2, 3, "measuring")
    return _exported(folder / MODEL_FILE, difference, faces, ms_per_face(classifier.classify, faces))


def _onnx(
    write: Callable[[Path], None],
    form: str,
    card: ModelCard,
    folder: Path,
    faces: np.ndarray,
    expected: np.ndarray,
    steps: Steps,
    compared_with: str = "Keras",
    allowed: float = MAX_DIFFERENCE["float32"],
) -> Exported:
    path = folder / ONNX_FILE
    write(path)
    if form == ONNX_INT8:
        quantize(path, faces[::2])
        faces, expected, allowed = faces[1::2], expected[1::2], MAX_ONNX_INT8_DIFFERENCE
    classifier = OnnxClassifier(path)
    steps(2, 3, f"comparing both forms on {len(faces)} faces")
    difference = _checked_difference(classifier.classify(faces), expected, path, allowed)
    outputs = score_outputs(card.label_sets)
    calibrate_outputs(path, {outputs[name]: card.calibration_of(name).scaling for name in card.label_sets})
    _save_card(card, path)
    return _exported(path, difference, faces, ms_per_face(OnnxClassifier(path).classify, faces), compared_with)


def _compared_with_app(exported: Exported, model_folder: Path, faces: np.ndarray) -> Exported:
    """Return an export to ONNX with how far its scores are from those that the app gives."""
    if not (model_folder / MODEL_FILE).is_file():
        return exported
    if exported.faces < len(faces):
        faces = faces[1::2]
    shown = LiteRTClassifier.from_bundle(load_bundle(model_folder)).classify(faces)
    difference = float(np.abs(OnnxClassifier(exported.file).classify(faces) - shown).max())
    return dataclasses.replace(exported, app_difference=difference)


def _keras(
    model: keras.Model, card: ModelCard, folder: Path, faces: np.ndarray, expected: np.ndarray, steps: Steps
) -> Exported:
    path = folder / KERAS_FILE
    save_keras(model, path)
    steps(2, 3, f"comparing both forms on {len(faces)} faces")
    again = keras.models.load_model(path, compile=False, safe_mode=True)
    difference = _checked_difference(predict_scores(again, faces)[SCORES], expected, path)
    _save_card(card, path)
    return _exported(path, difference, faces, None)


def _checked_difference(
    scores: np.ndarray, expected: np.ndarray, path: Path, allowed: float = MAX_DIFFERENCE["float32"]
) -> float:
    difference = float(np.abs(scores - expected).max())
    if not difference <= allowed:
        raise ModelError(
            f"The scores of {path} differ by {difference:.2g} from those of the network it was made from; "
            f"expected at most {allowed:.2g}. It is not usable."
        )
    return difference


def _save_card(card: ModelCard, path: Path) -> None:
    taken = card.input.replace("48×48 gray, uint8 values", "float32 (n, 48, 48, 1): 48×48 gray, values")
    dataclasses.replace(card, input=taken, files={path.name: sha256_of(path)}).save(path.parent / CARD_FILE)


def _exported(
    path: Path, difference: float | None, faces: np.ndarray, ms: float | None, compared_with: str = "Keras"
) -> Exported:
    return Exported(path, difference, compared_with, path.stat().st_size, ms, sha256_of(path), len(faces))
