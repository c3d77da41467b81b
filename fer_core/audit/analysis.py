"""The two analyses of a data set that take minutes, near copies and a model's outputs, and all findings together.

Both run as background jobs and are kept on disk under the data's hash, so each is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.audit.findings import Findings
from fer_core.audit.model_outputs import ModelOutputs, compute_model_outputs
from fer_core.audit.near_duplicates import near_duplicates
from fer_core.background.task import JobContext, Task
from fer_core.cache import cache_folder, cached_stamp, find_cached, store_cached
from fer_core.data.duplicate_groups import Pairs
from fer_core.data.face_set import FaceSet
from fer_core.data.store import open_store
from fer_core.emotions import LABELS, has_emotions
from fer_core.errors import DataError, ModelError
from fer_core.models.bundle import scores_key
from fer_core.models.card import ModelCard
from fer_core.recognizer import EmotionRecognizer
from fer_core.trained_on import trained_on

_NEAR = "near"


@dataclass(frozen=True)
class FindNearDuplicates(Task):
    """Compare every face of a data set with every other; about a minute for the whole of FER-2013.

    Attributes:
        data: name of its store.
        data_hash: of its content.
    """

    kind = "near-duplicates"
    data: str
    data_hash: str

    @property
    def title(self) -> str:
        return f"Comparing every face of {self.data} with every other"

    @property
    def key(self) -> str:
        return f"near-{self.data_hash[:16]}"

    def run(self, job: JobContext) -> dict[str, Any]:
        faces = _open_unchanged(self.data, self.data_hash)
        pairs = near_duplicates(faces.images, progress=lambda share: job.progress(share, 1.0))
        arrays = {"first": pairs.first, "second": pairs.second, "score": pairs.score}
        store_cached(cache_folder(faces.hash), _NEAR, arrays)
        return {"pairs": len(pairs.first)}


@dataclass(frozen=True)
class ComputeModelOutputs(Task):
    """Show every face of a data set to a model and keep its scores and features.

    Attributes:
        data: name of its store.
        data_hash: of its content.
        model: folder of the model.
        model_name: as its card names it.
        outputs: the name that the outputs are kept under, as `outputs_name` returns it.
        label_set: what faces are scored for; the model's default if None.
    """

    kind = "model-outputs"
    data: str
    data_hash: str
    model: str
    model_name: str
    outputs: str
    label_set: str | None = None

    @property
    def title(self) -> str:
        return f"Showing every face of {self.data} to {self.model_name}"

    @property
    def key(self) -> str:
        return f"{self.outputs}-{self.data_hash[:16]}"

    def run(self, job: JobContext) -> dict[str, Any]:
        faces = _open_unchanged(self.data, self.data_hash)
        recognizer = EmotionRecognizer(Path(self.model), self.label_set)
        if outputs_name(recognizer.card, self.label_set) != self.outputs:
            raise ModelError(f"{self.model_name} was replaced by another model in between. Start again.")
        outputs = compute_model_outputs(faces.images, recognizer.classify_and_embed, job.progress)
        store_cached(cache_folder(faces.hash), self.outputs, outputs.to_arrays())
        return {"faces": len(faces)}


def outputs_name(card: ModelCard, label_set: str | None = None) -> str:
    """Return the name that a model's outputs are kept under, for one of its label sets or, if None, its default."""
    return f"model-{scores_key(card, label_set)}"


def near_stamp(data_hash: str) -> int | None:
    """Return a number that changes when near copies of a data set are looked for; None before the first time."""
    return cached_stamp(cache_folder(data_hash), _NEAR)


def find_near_duplicates(data_hash: str, n: int) -> Pairs | None:
    """Return the near copies among the n faces of a data set, or None as long as nobody looked for them."""
    arrays = find_cached(cache_folder(data_hash), _NEAR)
    return None if arrays is None else Pairs(arrays["first"], arrays["second"], arrays["score"], n)


def outputs_stamp(data_hash: str, outputs: str) -> int | None:
    """Return a number that changes when the outputs named by `outputs_name` are computed; None before that."""
    return cached_stamp(cache_folder(data_hash), outputs)


def find_model_outputs(data_hash: str, outputs: str) -> ModelOutputs | None:
    """Return the outputs named by `outputs_name` for the faces of a data set, or None if none were computed."""
    arrays = find_cached(cache_folder(data_hash), outputs)
    return None if arrays is None else ModelOutputs.from_arrays(arrays)


def all_findings(
    findings: Findings,
    near: Pairs | None = None,
    faces: FaceSet | None = None,
    card: ModelCard | None = None,
    outputs: ModelOutputs | None = None,
) -> Findings:
    """Add to a first look what the long analyses found, as far as they were made.

    Args:
        findings: those of the first look.
        near: near copies.
        faces: the data set; needed with a model's outputs.
        card: of the model whose `outputs` these are.
        outputs: scores of every face.
    """
    if near is not None:
        findings = replace(findings, near_duplicates=near)
    if faces is None or card is None or outputs is None or not can_judge(card, faces.class_names):
        return findings
    seen = trained_on(card, faces)
    rows = np.flatnonzero(~seen)
    labels = LABELS if has_emotions(card.labels) else card.labels  # as a recognizer gives them
    probs = outputs.probs[:, [labels.index(name) for name in faces.class_names]]
    try:
        return findings.judged_by(rows, probs[rows], seen)
    except DataError:  # too few faces are left that the model was not trained on
        return findings


def can_judge(card: ModelCard, class_names: tuple[str, ...]) -> bool:
    """Return whether a model scores the classes of a data set, so that it can contradict their labels."""
    return set(card.labels) == set(class_names)


def _open_unchanged(data: str, data_hash: str) -> FaceSet:
    faces = open_store(data)
    if faces.hash != data_hash:
        raise DataError(f"The data set {data} was replaced by another in between. Start again.")
    return faces
