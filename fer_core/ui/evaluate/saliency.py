"""Where the models look, on a face of one's choice; and models in and out of the app."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from fer_core.models.model_store import folder_of
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.face_grid import Tile, TileGroup, face_grid
from fer_core.ui.components.loaders import recognizer_of
from fer_core.ui.components.saliency import where_it_looks
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.galleries import LOOKED_AT, most_confident_first
from fer_core.ui.evaluate.model_export import export_panel
from fer_core.ui.evaluate.model_import import import_panel
from fer_core.ui.evaluate.own_models import own_models_panel
from fer_core.ui.evaluate.view import Evaluation

_MODELS = 2
_SUGGESTED = 14


def saliency_view(found: Evaluation) -> None:
    """Show what the scores of one face depend on, for the first two of the chosen models."""
    faces, models = found.view.faces, _loaded(found)
    if not models:
        empty_state("Where a model looks appears here", "Choose a model above.", 300)
        return
    suggested = _suggested(found)
    st.session_state.setdefault(LOOKED_AT, suggested[0])
    if st.session_state[LOOKED_AT] >= len(faces):  # another data set
        st.session_state[LOOKED_AT] = suggested[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        row = st.number_input(
            "Row of the face",
            0,
            len(faces) - 1,
            step=1,
            key=LOOKED_AT,
            bind="query-params",
            width=180,
            help="Counted from 0, as the data set page counts. The face opened last in a "
            "gallery of this page comes up here.",
        )
        st.markdown(f"**{found.view.label(row)}**, {found.view.split(row)}")
    where_it_looks(models, np.array(faces.images[row]), found.view.label(row), key="looks")
    if len(found.chosen) > _MODELS:
        st.caption(f"The first {_MODELS} of the chosen models.")
    st.markdown(
        "Or one of these"
        + (
            f", where {found.models[0].name} is confident and wrong by {found.truth_name(found.truths[0])}:"
            if found.models
            else ":"
        )
    )
    face_grid(
        faces.images,
        [TileGroup([Tile(each, found.view.label(each), found.view.title(each)) for each in suggested])],
        "suggested",
        72,
        on_open=_look_at,
        class_names=found.view.class_names,
    )


def models_view(found: Evaluation) -> None:
    """Offer the ways for models into the app and out of it."""
    own_models_panel()
    import_panel()
    for name in found.chosen:
        export_panel(name, "" if found.view.info.source.synthetic else found.view.info.name)


def _loaded(found: Evaluation) -> list[tuple[EmotionRecognizer, Path]]:
    """Return the first of the chosen models that can be used; the page's head says why others cannot."""
    names = [name for name in found.chosen if name not in found.problems]
    return [(recognizer_of(name), folder_of(name)) for name in names[:_MODELS]]


def _suggested(found: Evaluation) -> list[int]:
    """Return rows worth a look: the most confident mistakes of the first model, or the first faces of the split."""
    if not found.models:
        return found.rows[:_SUGGESTED].tolist()
    truth = found.truths[0]
    probs, labels = found.models[0].probs(found.split, truth), found.labels(truth)
    wrong = np.flatnonzero((labels >= 0) & (probs.argmax(axis=1) != labels))
    places = most_confident_first(probs, wrong if len(wrong) else np.arange(len(probs)))
    return found.rows[places[:_SUGGESTED]].tolist()


def _look_at(row: int) -> None:
    st.session_state[LOOKED_AT] = row
