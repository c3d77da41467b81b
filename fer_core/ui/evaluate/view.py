"""What is evaluated: the chosen models with their kept scores and figures, on one split of one data set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

from fer_core.charts.palette import SERIES_COLORS
from fer_core.data.face_set import FaceSet
from fer_core.emotions import LABELS
from fer_core.errors import DataError, ModelError
from fer_core.evaluation.assessment import assess, measured_splits
from fer_core.evaluation.results import EvaluationResult, RobustnessResult, SplitResult, ViewMetrics
from fer_core.evaluation.scoring import Scores, find_robustness, find_scores
from fer_core.evaluation.serialization import card_calibration
from fer_core.evaluation.subset import EvaluatedSubset
from fer_core.evaluation.text import truth_name
from fer_core.evaluation.truth import Truth, answering_label_set, true_labels, truths
from fer_core.models.bundle import CARD_FILE, MODEL_FILE, Bundle, load_bundle
from fer_core.models.card import is_fer2013
from fer_core.models.model_store import folder_of
from fer_core.ui.components.data_view import DataView


@dataclass(frozen=True, eq=False)
class Measured:
    """A model that was measured.

    Attributes:
        name: under which it is available; cards of two models may bear the same.
        folder: it lies in.
        bundle: the model.
        scores: by split, as they were kept.
        result: what `assess` returns for these scores.
        color: of its dots and lines, "#RRGGBB".
        saw_split: whether it was trained on the split on show, or may have been.
    """

    name: str
    folder: Path
    bundle: Bundle
    scores: Mapping[str, Scores]
    result: EvaluationResult
    color: str
    saw_split: bool

    @property
    def size_mb(self) -> float:
        """Size of its file in megabytes of 10⁶ bytes."""
        return len(self.bundle.content) / 1e6

    def label_set(self, truth: Truth) -> str:
        """Return which of its label sets is held against a truth."""
        return answering_label_set(self.result.label_sets, truth)

    def split_result(self, split: str, truth: Truth) -> SplitResult:
        """Return the figures of the label set that is held against a truth."""
        return self.result.split(split, self.label_set(truth))

    def metrics(self, split: str, truth: Truth) -> ViewMetrics:
        """Return its figures against a truth."""
        return self.split_result(split, truth).against(truth)

    def raw_probs(self, split: str, truth: Truth) -> np.ndarray:
        """Return the scores as trained that are held against a truth, float32 (n, 7)."""
        return self.scores[split].by_label_set(self.bundle.card)[self.label_set(truth)].probs

    def probs(self, split: str, truth: Truth) -> np.ndarray:
        """Return the scores that are held against a truth as the app shows them: after the card's temperature."""
        return card_calibration(self.bundle.card, self.label_set(truth)).temperature.apply(self.raw_probs(split, truth))


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the page shows.

    Attributes:
        view: the data set.
        faces: those that are measured: the data set's, or with a subset, of each split only those of the subset.
        subset: name of the saved subset that is measured; empty for whole splits.
        split: that is on show.
        rows: int64 (n,), the rows in the data set of the measured faces of the split.
        truths: what scores can be held against there, the default first.
        chosen: names of the models, in the order chosen.
        models: those of the chosen ones that were measured on the split, in the order chosen.
        missing: names of those that lack scores on some split.
        problems: why a chosen model cannot be used, by its name.
    """

    view: DataView
    faces: FaceSet
    subset: str
    split: str
    rows: np.ndarray
    truths: tuple[Truth, ...]
    chosen: tuple[str, ...]
    models: tuple[Measured, ...]
    missing: tuple[str, ...]
    problems: Mapping[str, str]

    @property
    def fer2013(self) -> bool:
        """Whether the data set is FER-2013."""
        return is_fer2013({"synthetic": self.view.info.source.synthetic, "images": self.view.info.counts})

    def model(self, name: str) -> Measured:
        """Return a measured model by its name."""
        return next(model for model in self.models if model.name == name)

    def labels(self, truth: Truth) -> np.ndarray:
        """Return the true expressions of the faces on show, int64 (n,), -1 where there is none."""
        return true_labels(self.view.faces, self.rows, truth)

    def truth_name(self, truth: Truth) -> str:
        """Return what a truth is called within a sentence."""
        return truth_name(truth, self.fer2013)

    def robustness(self, model: Measured) -> RobustnessResult | None:
        """Return what was kept of a model's robustness on the split, None if it was not measured."""
        return find_robustness(model.bundle, self.view.faces.hash, self.split)


def open_evaluation(
    view: DataView, split: str, names: Sequence[str], subset: EvaluatedSubset | None = None
) -> Evaluation:
    """Gather what was measured. Nothing is scored here.

    Args:
        view: the data set.
        split: to show.
        names: of the models.
        subset: of whose faces the figures are; all if None.

    Raises:
        DataError: the data set has nothing to test on, or the subset has no face in the split.
    """
    splits, rows = measured_splits(view.faces), view.faces.rows_of(split)
    if subset is not None and not len(rows := np.intersect1d(rows, subset.rows)):
        raise DataError(f"The subset {subset.name} has no faces in {split}. Choose another subset or split.")
    faces = view.faces if subset is None else subset.restrict_faces(view.faces, splits)
    models, missing, problems = [], [], {}
    for place, name in enumerate(names):
        try:
            bundle = _usable_bundle(name)
        except ModelError as error:
            problems[name] = str(error)
            continue
        scores = {name: kept for name in splits if (kept := find_scores(bundle, view.faces.hash, name))}
        if len(scores) < len(splits):
            missing.append(name)
        if split in scores:
            result, color = _result_of(name, bundle, view, scores, subset), SERIES_COLORS[place % len(SERIES_COLORS)]
            if subset is not None:
                _, scores = subset.restrict(view.faces, scores)
            models.append(Measured(name, folder_of(name), bundle, scores, result, color, split in result.trained_on))
    return Evaluation(
        view=view,
        faces=faces,
        subset="" if subset is None else subset.name,
        split=split,
        rows=rows,
        truths=truths(view.faces, rows),
        chosen=tuple(names),
        models=tuple(models),
        missing=tuple(missing),
        problems=problems,
    )


def _usable_bundle(name: str) -> Bundle:
    """Return a model that can be measured against the seven labels.

    Raises:
        ModelError: there is no such model, it is damaged, or it has other labels.
    """
    bundle = bundle_of(name)
    if set(bundle.card.labels) != set(LABELS):
        raise ModelError(
            f"It scores {', '.join(bundle.card.labels)}; only a model of {', '.join(LABELS)} can be measured against "
            "these labels."
        )
    return bundle


def bundle_of(name: str) -> Bundle:
    """Return an available model, read once until its card changes.

    Raises:
        ModelError: there is no such model, or its files are missing, cut short or altered.
    """
    folder = folder_of(name)
    return _bundle(str(folder), (folder / CARD_FILE).stat().st_mtime_ns)


def sentence_case(text: str) -> str:
    """Return text with its first letter in upper case and the rest as it is.

    >>> sentence_case("the data set's labels")
    "The data set's labels"
    """
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str]) -> str:
    """Return names joined for a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


@st.cache_resource(max_entries=8, show_spinner="Reading the model…")
def _bundle(folder: str, changed_ns: int) -> Bundle:
    return load_bundle(Path(folder))


def _result_of(
    name: str, bundle: Bundle, view: DataView, scores: Mapping[str, Scores], subset: EvaluatedSubset | None
) -> EvaluationResult:
    card = folder_of(name) / CARD_FILE
    return _assess(
        name,
        bundle.card.files[MODEL_FILE],
        card.stat().st_mtime_ns,
        view.info.name,
        view.faces.hash,
        view.info.created,
        tuple(scores),
        None if subset is None else (subset.name, hashlib.sha256(subset.rows.tobytes()).hexdigest()),
        _bundle=bundle,
        _faces=view.faces,
        _scores=scores,
        _subset=subset,
    )


# The hashes of model and data name the scores; the arrays themselves are never hashed. Votes are not part of the
# data's hash, but adding them changes when the set was created.
@st.cache_data(max_entries=64, show_spinner="Working out the figures…")
def _assess(
    name: str,
    model: str,
    card_ns: int,
    data_name: str,
    data: str,
    created: str,
    splits: tuple[str, ...],
    subset: tuple[str, str] | None,
    _bundle: Bundle,
    _faces: FaceSet,
    _scores: Mapping[str, Scores],
    _subset: EvaluatedSubset | None,
) -> EvaluationResult:
    return replace(assess(_bundle, _faces, _scores, _subset), model=name)
