"""Measure models in a background job; what it scores is kept on disk, where pages find it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fer_core.background.task import JobContext, Task
from fer_core.cache import cache_folder
from fer_core.data.face_set import FaceSet
from fer_core.data.store import open_store
from fer_core.errors import DataError
from fer_core.evaluation.scoring import find_robustness, find_scores, score_robustness, score_split
from fer_core.models.bundle import Bundle, load_bundle
from fer_core.models.model_store import find_model

_Report = Callable[[int, int], None]


@dataclass(frozen=True)
class MeasureModels(Task):
    """Score models on splits of a data set; one such job runs at a time.

    Attributes:
        models: names or folders of models.
        data: name of a data set.
        splits: to score.
        robustness: score corrupted images of the splits in place of the clean ones.
    """

    kind = "measure"
    models: Sequence[str]
    data: str
    splits: Sequence[str]
    robustness: bool = False

    @property
    def title(self) -> str:
        what = "robustness of " if self.robustness else ""
        return f"Measuring {what}{', '.join(self.models)}"

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return the number of scored combinations of model and split as `scored`."""
        job.progress(0, 0, "opening the data set")
        faces = open_store(self.data)
        for model in self.models:
            bundle = load_bundle(find_model(model))
            for split in self.splits:
                phase = f"{model} on {f'corrupted images of {split}' if self.robustness else split}"
                _measure(bundle, faces, split, self.robustness, _with_phase(job, phase))
        return {"scored": len(self.models) * len(self.splits)}


def _measure(bundle: Bundle, faces: FaceSet, split: str, robustness: bool, report: _Report) -> None:
    score, find = (score_robustness, find_robustness) if robustness else (score_split, find_scores)
    score(bundle, faces, split, report)
    if find(bundle, faces.hash, split) is None:  # the cache alone carries it to the page
        raise DataError(
            f"The scores of {bundle.card.name} on {split} cannot be written to {cache_folder(faces.hash)}. Free some "
            "space there and measure again."
        )


def _with_phase(job: JobContext, phase: str) -> _Report:
    return lambda done, total: job.progress(done, total, phase)
