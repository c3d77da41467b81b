"""A gallery of faces that open at a click and can be corrected, with the next page at its end."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fer_core.audit.corrections import EXCLUDE, Corrections
from fer_core.audit.findings import Findings
from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.data.votes import majority_column
from fer_core.ui.components.corrections import mark_faces
from fer_core.ui.components.data_view import DataView, seen_word
from fer_core.ui.components.face_dialog import open_face
from fer_core.ui.components.face_grid import Tile, TileGroup, face_grid
from fer_core.ui.components.selections import saved_selections, tag_faces

# Width of a pager's arrows and of one of its numbers in pixels of the screen.
_PAGER_PX, _PAGE_NUMBER_PX = 70, 34
_FEWEST_NUMBERS, _MOST_NUMBERS = 5, 7


def gallery(
    view: DataView,
    findings: Findings,
    corrections: Corrections,
    groups: Sequence[TileGroup],
    key: str,
    reason: str,
    size_px: int = 96,
) -> None:
    """Draw faces that open at a click and can be marked and tagged; `reason` goes into the list of corrections."""
    order = [tile.row for group in groups for tile in group.tiles]
    face_grid(
        view.faces.images,
        groups,
        key,
        size_px,
        on_open=lambda row: open_face(row, order),
        on_mark=lambda rows, mark: mark_faces(view, rows, mark, reason),
        on_tag=lambda rows, tag: tag_faces(view, rows, tag),
        tags=list(saved_selections(view.info).tags),
        class_names=view.class_names,
    )


def tiles(view: DataView, findings: Findings, corrections: Corrections, rows: Sequence[int]) -> list[Tile]:
    """Return a tile for each row, with what most people saw in it where that is not the label."""
    rows = [int(row) for row in rows]
    seen = [-1] * len(rows) if findings.votes is None else majority_column(findings.votes[rows])
    return [
        Tile(row, view.label(row), view.title(row), _seen_note(column, view.label(row)), mark_of(corrections, row))
        for row, column in zip(rows, seen, strict=True)
    ]


def mark_of(corrections: Corrections, row: int) -> str:
    """Return "exclude", the label that a face is to have instead, or ""."""
    mark = corrections.current.get(row)
    return "" if mark is None else EXCLUDE if mark.action == EXCLUDE else mark.label


def pager(key: str, pages: int) -> int:
    """Draw the numbers of the pages, bound to the address as `key`; return the page that is chosen, from 1."""
    # With room for fewer than five numbers Streamlit shows only one or two, even where there are no more.
    width = _PAGER_PX + _PAGE_NUMBER_PX * max(_FEWEST_NUMBERS, min(pages, _MOST_NUMBERS))
    return st.pagination(pages, key=key, bind="query-params", width=width, max_visible_pages=_MOST_NUMBERS)


def next_page(key: str, page: int, pages: int) -> None:
    """Offer the next page where this one ends; `key` is that of the pagination."""
    if page < pages:
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button(
                f"Page {page + 1:,} of {pages:,}",
                icon=":material/arrow_forward:",
                key=f"next_{key}",
                on_click=lambda: st.session_state.update({key: page + 1}),
            )


def _seen_note(column: int, label: str) -> str:
    """Say what most people saw, by its column of the votes or -1 for none, where that is not the label."""
    if column < 0:
        return ""
    name = seen_word(VOTE_COLUMNS[column])
    return "" if name == label else f"seen as {name}"
