"""What is taken for what: the confusion matrix, and the faces behind each of its cells."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer_core.emotions import LABELS
from fer_core.ui.components.matrix import confusion_matrix
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.choice import choose_model
from fer_core.ui.evaluate.galleries import gallery, most_confident_first, said_notes
from fer_core.ui.evaluate.view import Evaluation

# The address's word for the cell that is open: "sad-neutral".
_CELL = "cell"


def confusion_view(found: Evaluation) -> None:
    """Draw the matrix of one model, and the faces of the chosen cell beside it."""
    model = choose_model(found)
    matrix, faces = st.columns([6, 5], gap="large")
    chosen = _asked()
    with matrix:
        way = st.segmented_control(
            "Show",
            ["Shares", "Counts"],
            default="Shares",
            required=True,
            key="cells",
            bind="query-params",
            label_visibility="collapsed",
        )
        confusion_matrix(model.figures["splits"][found.split]["confusion"], way == "Shares", chosen, "confusion", _pick)
        st.caption("One view of each face, without its mirror image. The diagonal is right.")
    probs = model.said(found.split)
    with faces:
        if chosen is None:
            empty_state(
                "The faces of a cell appear here",
                "Click a cell of the matrix: a large one off the diagonal shows what the model mixes up.",
                380,
            )
            return
        true, said = chosen
        places = most_confident_first(probs, np.flatnonzero((found.labels == true) & (probs.argmax(axis=1) == said)))
        st.markdown(_words(len(places), true, said))
        if len(places):
            gallery(found, places, said_notes(probs, places), "cell_wall", f"{model.name} says {LABELS[said]}")


def _words(count: int, true: int, said: int) -> str:
    if count == 0:
        return f"**No face** labelled {LABELS[true]} is called {LABELS[said]}."
    faces = f"**{count:,} {'face' if count == 1 else 'faces'}**"
    if true == said:
        return f"{faces} labelled {LABELS[true]} and called so, the surest first"
    return f"{faces} labelled {LABELS[true]}, called {LABELS[said]}, the surest first"


def _pick(true: int, said: int) -> None:
    st.query_params[_CELL] = f"{LABELS[true]}-{LABELS[said]}"
    st.session_state.pop("cell_wall_page", None)


def _asked() -> tuple[int, int] | None:
    true, _, said = st.query_params.get(_CELL, "").partition("-")
    return (LABELS.index(true), LABELS.index(said)) if true in LABELS and said in LABELS else None
