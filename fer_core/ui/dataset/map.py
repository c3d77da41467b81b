"""The faces on a plane, by what the model sees in them: points that lie together look alike to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from fer_core.audit.corrections import Corrections
from fer_core.audit.findings import Findings
from fer_core.audit.model_outputs import ModelOutputs
from fer_core.audit.search import NOT_VOTED, OTHER, seen_answers
from fer_core.charts.dataset import NOT_VOTED_COLOR, OTHER_COLOR, SPLIT_COLORS, face_heat, face_map
from fer_core.data.face_set import SPLITS
from fer_core.emotions import COLORS, LABELS
from fer_core.formats import count_text
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.analysis import (
    find_model_outputs,
    look_with_model,
    model_looking,
)
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.face_grid import TileGroup
from fer_core.ui.components.gallery import gallery, pager, tiles
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.dataset.collect import collect

_HEIGHT_PX = 620
_SAMPLE = 8000
_FACES_A_PAGE = 120
_CONFIG = {
    "displaylogo": False,
    "scrollZoom": True,
    "modeBarButtons": [["lasso2d", "select2d", "pan2d", "resetScale2d", "toImage"]],
}


def map_view(
    view: DataView, findings: Findings, corrections: Corrections, recognizer: EmotionRecognizer | None
) -> None:
    """Draw the map, or what must be done before there is one."""
    if recognizer is None:
        empty_state(
            "No model is at hand",
            "The map is made of what a model sees in each face. The live page says why there is none.",
            300,
        )
        return
    outputs = find_model_outputs(view, recognizer)
    if outputs is None:
        _no_map_yet(view, recognizer)
        return
    plane, selected = st.columns([7, 4], gap="medium")
    with plane:
        rows = _plane(view, findings, outputs)
        shown = sum(outputs.map.explained) * 100
        st.caption(
            f"Faces that lie together look alike to {recognizer.name}: the two principal components of its "
            f"{outputs.features.shape[1]:,} features show {shown:.0f} % of all differences."
        )
    with selected:
        _selected(view, findings, corrections, rows)


def _no_map_yet(view: DataView, recognizer: EmotionRecognizer) -> None:
    empty_state(
        "The map of all faces appears here",
        f"{recognizer.name} looks at each face once; then those that look "
        "alike to it lie together, and you can select some to see them.",
        300,
    )
    st.button(
        "Make the map",
        type="primary",
        icon=":material/scatter_plot:",
        key="map_look",
        on_click=look_with_model,
        args=(view, recognizer),
        disabled=model_looking(view, recognizer),
    )


def _plane(view: DataView, findings: Findings, outputs: ModelOutputs) -> np.ndarray:
    """Draw the points and return the rows that are selected."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        ways = ["Label", "Split", "Issue score"] + (["People saw"] if findings.votes is not None else [])
        way = st.segmented_control("Colour", ways, default="Label", required=True, key="colour", bind="query-params")
        n = len(view.faces)
        everyone = n <= _SAMPLE or st.toggle(
            f"All {n:,} faces",
            key="map_all",
            bind="query-params",
            help=f"Otherwise {_SAMPLE:,} faces drawn at random, which is quicker.",
        )
    rows = np.arange(n) if everyone else np.sort(np.random.default_rng(0).choice(n, _SAMPLE, replace=False))
    figure = _figure(view, findings, outputs, rows, way)
    event = st.plotly_chart(
        figure,
        key=f"map_{view.info.name}",
        on_select=_first_page,
        config=_CONFIG,
        selection_mode=("points", "box", "lasso"),
        alt=f"Map of the faces, coloured by {way.lower()}",
    )
    return np.array([point["customdata"] for point in event.selection.points], np.int64).reshape(-1)


def _figure(view: DataView, findings: Findings, outputs: ModelOutputs, rows: np.ndarray, way: str):
    titles = [f"row {row:,}, {view.label(row)}, {view.split(row)}" for row in rows]
    xy = outputs.map.xy[rows]
    if way == "Issue score":
        return face_heat(xy, rows, findings.issue_score.score[rows], titles, _HEIGHT_PX)
    if way == "Split":
        split = view.faces.split[rows]
        groups = {name: (split == SPLITS.index(name), SPLIT_COLORS[name]) for name in view.faces.splits}
    elif way == "Label":
        groups = _by_code(view.faces.labels[rows], LABELS)
    else:
        answers = [*LABELS, OTHER, NOT_VOTED]
        groups = _by_code(seen_answers(findings.votes, len(view.faces))[rows], answers)
    return face_map(xy, rows, groups, titles, _HEIGHT_PX)


def _by_code(codes: np.ndarray, names: Sequence[str]) -> dict[str, tuple[np.ndarray, str]]:
    """Return the points of each name that has any, and its colour."""
    colors = {**COLORS, OTHER: OTHER_COLOR, NOT_VOTED: NOT_VOTED_COLOR}
    return {name: (codes == code, colors[name]) for code, name in enumerate(names) if np.any(codes == code)}


def _selected(view: DataView, findings: Findings, corrections: Corrections, rows: np.ndarray) -> None:
    """Draw the faces that are selected on the map; they can be opened, marked, tagged and saved as a subset."""
    if len(rows) == 0:
        empty_state(
            "Selected faces appear here",
            "Draw around some points with the lasso. Hold Shift to add more, double-click to let go.",
            _HEIGHT_PX,
        )
        return
    pages = math.ceil(len(rows) / _FACES_A_PAGE)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{count_text(len(rows), 'face')}** selected on the map")
        collect(view, "map", {f"All selected, {count_text(len(rows), 'face')}": rows})
    page = pager("map_page", pages) if pages > 1 else 1
    page = min(page, pages)
    with st.container(height=_HEIGHT_PX, border=False):
        shown = rows[(page - 1) * _FACES_A_PAGE : page * _FACES_A_PAGE]
        walls = [TileGroup(tiles(view, findings, corrections, shown))]
        gallery(view, findings, corrections, walls, "map_wall", "selected on the map", 84)


def _first_page() -> None:
    st.session_state["map_page"] = 1
