"""The command `explain`: both maps of many faces, written to a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_core.data.face_arrays import read_faces
from fer_core.explain.gradcam import GradCam
from fer_core.explain.occlusion import occlusion
from fer_core.files import atomic_path
from fer_core.models.bundle import load_bundle
from fer_core.models.classifier import LiteRTClassifier


def explain_file(model: str | Path, faces_path: Path, out: Path, label_set: str | None = None) -> int:
    """Explain the scores of faces.

    Args:
        model: name of a bundled model, or path of a model's folder.
        faces_path: a file of NumPy with uint8 (n, 48, 48), gray.
        out: the .npz to write: `labels` (k,), `scores` (n, k), `occlusion` and `gradcam`, both (n, k, 48, 48),
            as `occlusion` and `GradCam.explain` return them.
        label_set: whose scores; the model's default if None.

    Returns:
        The number of faces.

    Raises:
        DataError: the faces are not such a file.
        ModelError: there is no such model, it does not answer for this label set, or Grad-CAM cannot explain it.
    """
    faces = read_faces(faces_path)
    bundle = load_bundle(model)
    classifier = LiteRTClassifier.from_bundle(bundle)
    arrays = {
        "labels": np.array(bundle.card.labels),
        "scores": classifier.classify(faces, label_set),
        "gradcam": GradCam(bundle.content, bundle.card.output_of(label_set)).explain(faces),
        "occlusion": np.stack([occlusion(classifier, face, label_set) for face in faces]),
    }
    with atomic_path(out) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return len(faces)
