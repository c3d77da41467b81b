"""A wall of faces, drawn in the browser: click one to look at it, check several to act on them.

Streamlit's own images cannot be clicked, and a hundred columns with a button each would be slow to
build and slow to draw. Each face travels as a PNG of its own, so that it keeps its text, its focus and
every one of its pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from fer_core.emotions import LABELS, class_colors
from fer_core.ui.components.pictures import png_url

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "fer_face_grid",
    html='<div class="wall"></div><div class="bar" role="toolbar" aria-label="Selected faces" hidden><output></output>'
    '<button name="exclude">Exclude</button><select aria-label="Relabel as"></select>'
    '<button name="unmark">Unmark</button><span class="tagging"><input name="tag" list="tags" maxlength="40" '
    'placeholder="Tag…" aria-label="Tag for the selected faces"><button name="tagged">Tag</button></span>'
    '<datalist id="tags"></datalist><button name="all" class="quiet">Select all here</button>'
    '<button name="clear" class="quiet">Clear</button></div>',
    css=(_HERE / "face_grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "face_grid.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Tile:
    """One face on the wall.

    Attributes:
        row: of the data set.
        label: the name of its class.
        title: what the face is, in a sentence; its alternative text.
        note: a second line under the label, may be empty.
        mark: "exclude", a label it is to have instead, or empty.
    """

    row: int
    label: str
    title: str
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class TileGroup:
    """Faces that belong together, with a line that says why; a wall of one plain group has no caption."""

    tiles: Sequence[Tile]
    caption: str = ""


def face_grid(
    images: np.ndarray,
    groups: Sequence[TileGroup],
    key: str,
    size_px: int = 96,
    on_open: Callable[[int], None] | None = None,
    on_mark: Callable[[list[int], str], None] | None = None,
    on_tag: Callable[[list[int], str], None] | None = None,
    tags: Sequence[str] = (),
    class_names: tuple[str, ...] = LABELS,
) -> None:
    """Draw the wall.

    Args:
        images: uint8 (n, 48, 48), of which each tile's row is shown.
        groups: what to show; several groups stand as clusters.
        key: of the component.
        size_px: least width of a face in pixels of the screen.
        on_open: called with the row of a face that was clicked.
        on_mark: called with rows and "exclude", a label or "" (unmark); None where nothing can be marked.
        on_tag: called with rows and the tag they are to have; None where nothing can be tagged.
        tags: offered as it is typed.
        class_names: of the data set.
    """

    def opened() -> None:
        if on_open and (row := st.session_state[key].opened) is not None:
            on_open(int(row))

    def marked() -> None:
        if on_mark and (event := st.session_state[key].marked):
            on_mark([int(row) for row in event["rows"]], event["mark"])

    def tagged() -> None:
        if on_tag and (event := st.session_state[key].tagged):
            on_tag([int(row) for row in event["rows"]], event["tag"])

    data = [
        {"caption": group.caption, "faces": [_face(images, tile, class_names) for tile in group.tiles]}
        for group in groups
    ]
    _component(
        key=key,
        data={
            "groups": data,
            "size_px": size_px,
            "selectable": on_mark is not None,
            "labels": list(class_names),
            "taggable": on_tag is not None,
            "tags": list(tags),
            "version": _version(data, size_px),
            "first": data[0]["faces"][0]["row"] if groups and groups[0].tiles else None,
        },
        on_opened_change=opened,
        on_marked_change=marked,
        on_tagged_change=tagged,
    )


def _face(images: np.ndarray, tile: Tile, class_names: tuple[str, ...]) -> dict[str, str | int]:
    word = tile.mark if tile.mark in class_names else tile.label
    note = f"was {tile.label}" if tile.mark in class_names else "excluded" if tile.mark else tile.note
    return {
        "row": tile.row,
        "src": png_url(images[tile.row]),
        "word": word,
        "color": class_colors(class_names)[word],
        "note": note,
        "title": tile.title,
        "mark": tile.mark,
    }


def _version(groups: list[dict], size_px: int) -> str:
    """Return what changes when the wall must be drawn anew."""
    return hashlib.sha256(repr((groups, size_px)).encode()).hexdigest()
