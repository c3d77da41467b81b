"""Leaf through the faces: filters and order in the sidebar, a wall of faces, pages; all of it in the address."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from fer_core.audit.corrections import Corrections
from fer_core.audit.findings import Findings
from fer_core.audit.search import NOT_VOTED, OTHER, Query, find_faces
from fer_core.data.votes import has_votes
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.face_grid import TileGroup
from fer_core.ui.components.gallery import gallery, next_page, pager, tiles
from fer_core.ui.components.widgets import empty_state

_WHICH = {"All": None, "Suspicious": True, "Others": False, "Marked": None}
_ORDERS = {
    "Row": "row",
    "Most suspicious": "issue_score",
    "Darkest": "brightness",
    "Flattest": "contrast",
    "Shuffled": "shuffled",
}
# Width of a face in pixels of the screen, and how many fit a page.
_SIZES = {"Small": (64, 200), "Medium": (96, 120), "Large": (144, 60)}


def browse(view: DataView, findings: Findings, corrections: Corrections) -> None:
    """Draw the gallery with its filters."""
    rows, (size_px, per_page) = _choose(view, findings, corrections)
    pages = max(1, math.ceil(len(rows) / per_page))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        count = st.empty()
        page = pager("page", pages)
    shown = rows[(page - 1) * per_page : page * per_page]
    count.markdown(_position(rows, shown, (page - 1) * per_page, len(view.faces)))
    if len(rows) == 0:
        empty_state("No face is like that", "Choose fewer filters in the sidebar, or reset them.", 300)
        return
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


def _choose(view: DataView, findings: Findings, corrections: Corrections) -> tuple[np.ndarray, tuple[int, int]]:
    """Draw the filters; return the rows they leave, in order, and the size of a face and of a page."""
    with st.sidebar:
        st.subheader("Show")
        which = st.pills(
            "Which faces",
            list(_WHICH),
            default="All",
            required=True,
            key="which",
            bind="query-params",
            on_change=_first_page,
            help="Suspicious: more speaks against the label than for it, by votes, "
            "copies, blankness and, where asked, the model.",
        )
        labels = _pills("Label", view.class_names, "label")
        splits = _pills("Split", view.faces.splits, "split")
        seen = _pills("Most people saw", _answers(findings), "seen_as") if findings.votes is not None else ()
        st.subheader("Order and size")
        order = st.selectbox(
            "Order",
            list(_ORDERS),
            key="order",
            bind="query-params",
            on_change=_first_page,
            label_visibility="collapsed",
        )
        seed = _shuffle() if order == "Shuffled" else 0
        size = st.segmented_control(
            "Size",
            list(_SIZES),
            default="Medium",
            required=True,
            key="size",
            bind="query-params",
            on_change=_first_page,
            label_visibility="collapsed",
        )
    rows = find_faces(findings, Query(tuple(splits), tuple(labels), tuple(seen), _WHICH[which], _ORDERS[order], seed))
    if which == "Marked":
        rows = rows[np.isin(rows, list(corrections.current))]
    return rows, _SIZES[size]


def _answers(findings: Findings) -> list[str]:
    answers = [*findings.class_names, OTHER]
    return answers if has_votes(findings.votes).all() else [*answers, NOT_VOTED]


def _pills(title: str, options: Sequence[str], key: str) -> list[str]:
    return st.pills(title, options, selection_mode="multi", key=key, bind="query-params", on_change=_first_page)


def _shuffle() -> int:
    """Draw the number that names a shuffle, so that an address shows the same faces to everyone."""
    return st.number_input("Shuffle number", 0, 9999, 1, key="shuffle", bind="query-params", on_change=_first_page)


def _first_page() -> None:
    st.session_state["page"] = 1


def _position(rows: np.ndarray, shown: np.ndarray, before: int, total: int) -> str:
    if len(rows) == 0:
        return "**No faces**"
    of = "" if len(rows) == total else f" of {total:,}"
    count = "1 face" if len(rows) == 1 else f"{len(rows):,} faces"
    return f"**{count}**{of} · {before + 1:,} to {before + len(shown):,}"
