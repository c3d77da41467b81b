"""Leaf through the faces: filters and order in the sidebar, a wall of faces, pages; all of it in the address."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from fer_core.audit.analysis import outputs_name
from fer_core.audit.corrections import Corrections
from fer_core.audit.findings import Findings
from fer_core.audit.model_outputs import ModelOutputs
from fer_core.audit.search import Query, find_faces
from fer_core.errors import DataError
from fer_core.formats import count_text
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.face_grid import TileGroup
from fer_core.ui.components.gallery import gallery, next_page, pager, tiles
from fer_core.ui.components.selections import rows_of_saved_subset, saved_selections
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.dataset.collect import SavedQuery, collect
from fer_core.ui.dataset.filters import choose_faces, first_page, position

# Width of a face in pixels of the screen, and how many fit a page.
_SIZES = {"Small": (64, 200), "Medium": (96, 120), "Large": (144, 60)}


def browse(view: DataView, findings: Findings, corrections: Corrections, recognizer: EmotionRecognizer | None) -> None:
    """Draw the gallery with its filters."""
    with st.sidebar:
        query, subset, outputs = choose_faces(view, findings, recognizer)
        size_px, per_page = _size()
    rows = _rows(view, findings, corrections, query, subset, outputs)
    pages = max(1, math.ceil(len(rows) / per_page))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        count = st.empty()
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            collecting = st.container(width="content")
            page = pager("page", pages)
    shown = rows[(page - 1) * per_page : page * per_page]
    count.markdown(position(rows, shown, (page - 1) * per_page, len(view.faces)))
    if len(rows) == 0:
        empty_state("No face is like that", "Choose fewer filters in the sidebar, or reset them.", 300)
        return
    with collecting:
        choices = {f"This page, {count_text(len(shown), 'face')}": shown}
        if len(rows) > len(shown):
            choices[f"All that match, {count_text(len(rows), 'face')}"] = rows
        collect(view, "browse", choices, None if subset else _saved_query(query, outputs, recognizer))
    gallery(
        view,
        findings,
        corrections,
        [TileGroup(tiles(view, findings, corrections, shown))],
        "wall",
        "seen in Browse",
        size_px,
    )
    next_page("page", page, pages)


def _rows(
    view: DataView,
    findings: Findings,
    corrections: Corrections,
    query: Query,
    subset: str,
    outputs: ModelOutputs | None,
) -> np.ndarray:
    """Return the rows that the filters leave, in order."""
    rows = find_faces(
        findings,
        query,
        tags=saved_selections(view.info).tags,
        corrected=corrections.current,
        probs=None if outputs is None else outputs.probs,
    )
    if not subset:
        return rows
    try:
        return rows[np.isin(rows, rows_of_saved_subset(view, subset))]
    except DataError as error:
        st.warning(str(error), icon=":material/warning:")
        return rows[:0]


def _saved_query(query: Query, outputs: ModelOutputs | None, recognizer: EmotionRecognizer | None) -> SavedQuery:
    """Return what is saved of the filters: with the model whose outputs are known, since findings depend on them."""
    if outputs is None or recognizer is None:
        return SavedQuery(query)
    return SavedQuery(query, outputs_name(recognizer.card, recognizer.label_set), recognizer.name)


def _size() -> tuple[int, int]:
    """Draw the choice of a size; return the width of a face in pixels of the screen, and the faces of a page."""
    size = st.segmented_control(
        "Size",
        list(_SIZES),
        default="Medium",
        required=True,
        key="size",
        bind="query-params",
        on_change=first_page,
        label_visibility="collapsed",
    )
    return _SIZES[size]
