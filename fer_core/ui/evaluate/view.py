"""What is evaluated: the chosen models with their kept scores and figures, on one split of one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer_core.charts.evaluation import MODEL_COLORS
from fer_core.data.face_set import FaceSet
from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.evaluation.assessment import assess, measured_splits
from fer_core.evaluation.scoring import Scores, find_robustness, find_scores
from fer_core.models.bundle import CARD_FILE, MODEL_FILE, Bundle, load_bundle
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
        figures: what `assess` returns for these scores.
        color: of its dots and lines, "#RRGGBB".
        learned: whether it was trained on the split on show, or may have been.
    """

    name: str
    folder: Path
    bundle: Bundle
    scores: Mapping[str, Scores]
    figures: Mapping[str, Any]
    color: str
    learned: bool

    @property
    def size_mb(self) -> float:
        """Size of its file in megabytes of 10⁶ bytes."""
        return len(self.bundle.content) / 1e6

    def said(self, split: str) -> np.ndarray:
        """Return what it says everywhere in the app, float32 (n, 7): its scores after its card's temperature."""
        return self.bundle.card.temperature.apply(self.scores[split].probs)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the page shows.

    Attributes:
        view: the data set.
        split: that is on show.
        rows: int64 (n,), its rows in the data set.
        labels: int64 (n,), their labels.
        chosen: names of the models, in the order chosen.
        models: those of the chosen ones that were measured on the split, in the order chosen.
        missing: names of those that lack scores on some split.
        problems: why a chosen model cannot be used, by its name.
    """

    view: DataView
    split: str
    rows: np.ndarray
    labels: np.ndarray
    chosen: tuple[str, ...]
    models: tuple[Measured, ...]
    missing: tuple[str, ...]
    problems: Mapping[str, str]

    def model(self, name: str) -> Measured:
        """Return a measured model by its name."""
        return next(model for model in self.models if model.name == name)

    def robustness(self, model: Measured) -> Mapping[str, Sequence[Mapping[str, float]]] | None:
        """Return what was kept of a model's robustness on the split, None if it was not measured."""
        return find_robustness(model.bundle, self.view.faces.hash, self.split)


def open_evaluation(view: DataView, split: str, names: Sequence[str]) -> Evaluation:
    """Gather what was measured. Nothing is scored here.

    Raises:
        DataError: the data set has nothing to test on.
    """
    faces, splits = view.faces, measured_splits(view.faces)
    models, missing, problems = [], [], {}
    for place, name in enumerate(names):
        try:
            bundle = bundle_of(name)
        except ModelError as error:
            problems[name] = str(error)
            continue
        if set(bundle.card.labels) != set(LABELS):
            problems[name] = (
                f"It scores {', '.join(bundle.card.labels)}; only a model of {', '.join(LABELS)} can be "
                "measured against these labels."
            )
            continue
        scores = {each: kept for each in splits if (kept := find_scores(bundle, faces.hash, each))}
        if len(scores) < len(splits):
            missing.append(name)
        if split in scores:
            figures = _figures_of(name, bundle, view, scores)
            models.append(
                Measured(
                    name,
                    folder_of(name),
                    bundle,
                    scores,
                    figures,
                    MODEL_COLORS[place % len(MODEL_COLORS)],
                    split in figures["learned"],
                )
            )
    rows = faces.rows_of(split)
    return Evaluation(view, split, rows, faces.labels[rows], tuple(names), tuple(models), tuple(missing), problems)


def bundle_of(name: str) -> Bundle:
    """Return an available model, read once until its card changes.

    Raises:
        ModelError: there is no such model, or its files are missing, cut short or altered.
    """
    folder = folder_of(name)
    return _bundle(str(folder), (folder / CARD_FILE).stat().st_mtime_ns)


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share from 0 to 1 in words.

    >>> percent(0.7126), percent(None)
    ('71.3 %', '–')
    """
    return "–" if share is None else f"{share * 100:.{digits}f} %"


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


@st.cache_resource(max_entries=8, show_spinner="Reading the model…")
def _bundle(folder: str, changed_ns: int) -> Bundle:
    return load_bundle(Path(folder))


def _figures_of(name: str, bundle: Bundle, view: DataView, scores: Mapping[str, Scores]) -> dict[str, Any]:
    card = folder_of(name) / CARD_FILE
    return _figures(
        name,
        bundle.card.files[MODEL_FILE],
        card.stat().st_mtime_ns,
        view.info.name,
        view.faces.hash,
        view.info.created,
        tuple(scores),
        _bundle=bundle,
        _faces=view.faces,
        _scores=scores,
    )


# Scores are named by the hashes of model and data: the arrays themselves are never hashed. Votes are no part of the
# content's hash, but a set is written anew with them.
@st.cache_data(max_entries=64, show_spinner="Working out the figures…")
def _figures(
    name: str,
    model: str,
    card_ns: int,
    data_name: str,
    data: str,
    created: str,
    splits: tuple[str, ...],
    _bundle: Bundle,
    _faces: FaceSet,
    _scores: Mapping[str, Scores],
) -> dict[str, Any]:
    return assess(_bundle, _faces, _scores) | {"model": name}
