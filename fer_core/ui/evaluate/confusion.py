"""Which expressions are confused: the confusion matrix, and the faces behind each of its cells."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer_core.evaluation.truth import Truth
from fer_core.ui.components.matrix import confusion_matrix
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.choice import choose_model, choose_truth
from fer_core.ui.evaluate.galleries import gallery, most_confident_first, prediction_notes
from fer_core.ui.evaluate.view import Evaluation, Measured

# The address's name for the cell that is open: "sad-neutral".
_CELL = "cell"
# What a row of the matrix says of its faces.
_ROW = {Truth.MAJORITY: "Seen by most people as", Truth.LABELS: "Labelled"}


def confusion_view(found: Evaluation) -> None:
    """Draw the matrix of one model, and the faces of the chosen cell beside it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        model, truth = choose_model(found), choose_truth(found)
    matrix, faces = st.columns([6, 5], gap="large")
    cell = _asked(found)
    with matrix:
        _matrix(found, model, truth, cell)
    with faces:
        if cell is None:
            empty_state(
                "The faces of a cell appear here",
                "Click a cell of the matrix: a large one off the diagonal shows what the model mixes up.",
                380,
            )
        else:
            _faces_of(found, model, truth, *cell)


def _matrix(found: Evaluation, model: Measured, truth: Truth, cell: tuple[int, int] | None) -> None:
    unit = st.segmented_control(
        "Show",
        ["Shares", "Counts"],
        default="Shares",
        required=True,
        key="cells",
        bind="query-params",
        label_visibility="collapsed",
    )
    metrics = model.metrics(found.split, truth).one_view
    name = found.truth_name(truth)

    def pick(true: int, predicted: int) -> None:
        st.query_params[_CELL] = _cell_name(found, true, predicted)
        st.session_state.pop("cell_wall_page", None)

    confusion_matrix(
        metrics.confusion, unit == "Shares", cell, "confusion", pick, _ROW[truth], name, found.view.class_names
    )
    st.caption(f"Against {name}: {metrics.images:,} faces of {found.split}, one view of each. The diagonal is right.")


def _faces_of(found: Evaluation, model: Measured, truth: Truth, true: int, predicted: int) -> None:
    probs = model.probs(found.split, truth)
    places = np.flatnonzero((found.labels(truth) == true) & (probs.argmax(axis=1) == predicted))
    places = most_confident_first(probs, places)
    names = found.view.class_names
    st.markdown(_heading(len(places), truth, names[true], names[predicted]))
    if len(places):
        st.caption("Beneath each face: its label, and what the model says.")
        notes = prediction_notes(probs, places, names)
        gallery(found, places, notes, "cell_wall", f"{model.name} says {names[predicted]}")


def _heading(count: int, truth: Truth, true: str, predicted: str) -> str:
    row = _ROW[truth].lower()
    if count == 0:
        return f"**No face** {row} {true} is called {predicted}."
    faces = f"**{count:,} {'face' if count == 1 else 'faces'}**"
    if true == predicted:
        return f"{faces} {row} {true} and called so, most confident first"
    return f"{faces} {row} {true}, called {predicted}, most confident first"


def _asked(found: Evaluation) -> tuple[int, int] | None:
    """Return the cell that the address names, as row and column."""
    asked, cells = st.query_params.get(_CELL, ""), range(len(found.view.class_names))
    # By comparing, since the name of a class may have a dash in it.
    return next(((i, j) for i in cells for j in cells if _cell_name(found, i, j) == asked), None)


def _cell_name(found: Evaluation, true: int, predicted: int) -> str:
    return f"{found.view.class_names[true]}-{found.view.class_names[predicted]}"
