"""Galleries of faces of the split on show, each with what a model says; a click opens one large."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from fer_core.ui.components.analysis import all_findings, show_looks
from fer_core.ui.components.corrections import mark_faces, read_or_explain
from fer_core.ui.components.face_dialog import open_face, show_asked_face
from fer_core.ui.components.face_grid import Tile, TileGroup, face_grid
from fer_core.ui.components.gallery import mark_of
from fer_core.ui.components.loaders import recognizer_of
from fer_core.ui.evaluate.choice import chosen_model
from fer_core.ui.evaluate.view import Evaluation

# The row of the data set that was opened last: "Where it looks" explains it.
LOOKED_AT = "row"
_PER_PAGE = 30


def gallery(
    found: Evaluation, places: np.ndarray, notes: Sequence[str], key: str, reason: str, size_px: int = 88
) -> None:
    """Draw faces, a page at a time.

    Args:
        found: what is on show.
        places: int (m,), of the faces within the split, in the order to show.
        notes: what stands under each.
        key: of the gallery; that of its pages is `{key}_page`.
        reason: what goes into the list of corrections for a face that is marked here.
    """
    pages, page = max(1, math.ceil(len(places) / _PER_PAGE)), 1
    if pages > 1:
        page = st.pagination(pages, key=f"{key}_page")
    some = slice((page - 1) * _PER_PAGE, page * _PER_PAGE)
    view, corrections = found.view, read_or_explain(found.view)
    rows = [int(row) for row in found.rows[places]]
    tiles = [
        Tile(row, view.label(row), view.title(row), note, mark_of(corrections, row))
        for row, note in zip(rows[some], notes[some], strict=True)
    ]

    def opened(row: int) -> None:
        st.session_state[LOOKED_AT] = row
        open_face(row, rows)

    face_grid(
        view.faces.images,
        [TileGroup(tiles)],
        key,
        size_px,
        on_open=opened,
        on_mark=lambda chosen, mark: mark_faces(view, chosen, mark, reason),
        class_names=view.class_names,
    )


def most_confident_first(probs: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return places int (m,), ordered by the best score, float (n, k), of each."""
    return places[np.argsort(-probs[places].max(axis=1), kind="stable")]


def prediction_notes(probs: np.ndarray, places: np.ndarray, class_names: Sequence[str]) -> list[str]:
    """Return for each place the predicted class with its score: "happy 97 %"."""
    return [f"{class_names[row.argmax()]} {row.max() * 100:.0f} %" for row in probs[places]]


def show_open_face(found: Evaluation) -> None:
    """Open the face that the address asks for, as the data set page does, with the scores of the model on show."""
    if not found.models:
        return
    recognizer = recognizer_of(chosen_model(found).name)
    show_looks(found.view, recognizer)
    show_asked_face(found.view, all_findings(found.view, recognizer), recognizer)
