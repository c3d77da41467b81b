"""A confusion matrix to click into.

Plotly's heat maps cannot be reached by keyboard and tell a page nothing of a click; here each cell is a
button.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from fer_core.emotions import LABELS, class_colors

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "fer_confusion_matrix",
    html='<div class="matrix"><table></table></div>',
    css=(_HERE / "matrix.css").read_text(encoding="utf-8"),
    js=(_HERE / "matrix.js").read_text(encoding="utf-8"),
)


def confusion_matrix(
    confusion: Sequence[Sequence[int]],
    shares: bool,
    chosen: tuple[int, int] | None,
    key: str,
    on_pick: Callable[[int, int], None],
    row_name: str = "Labelled",
    row_caption: str = "how the faces are labelled",
    class_names: tuple[str, ...] = LABELS,
) -> None:
    """Draw the matrix.

    Args:
        confusion: counts (k, k) in the order of `class_names`, rows true, columns predicted.
        shares: write each cell as its share of the row instead of its count.
        chosen: the cell that is open.
        key: of the component.
        on_pick: called with row and column of a cell that was clicked.
        row_name: what a row says of its faces, before its class, such as "Labelled".
        row_caption: what rows are, within a sentence.
        class_names: of the k classes.
    """

    def picked() -> None:
        if (cell := st.session_state[key].picked) is not None:
            on_pick(int(cell[0]), int(cell[1]))

    data = {
        "labels": list(class_names),
        "colors": list(class_colors(class_names).values()),
        "cells": _cells(confusion, shares, row_name, class_names),
        "chosen": "{}-{}".format(*chosen) if chosen else "",
        "caption": f"Rows: {row_caption}. Columns: what the model says. "
        + ("In % of the row." if shares else "Number of faces."),
    }
    version = hashlib.sha256(json.dumps(data).encode()).hexdigest()
    _component(key=key, data={**data, "version": version}, on_picked_change=picked)


def _cells(
    confusion: Sequence[Sequence[int]], shares: bool, row_name: str, class_names: tuple[str, ...]
) -> list[list[dict[str, object]]]:
    counts = np.asarray(confusion)
    of_row = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return [
        [
            {
                "count": int(counts[i, j]),
                "share": round(float(of_row[i, j]), 4),
                "text": f"{of_row[i, j] * 100:.0f}" if shares else f"{counts[i, j]:,}",
                "title": f"{row_name} {label}, called {other}: {counts[i, j]:,} of {counts[i].sum():,} faces, "
                f"{of_row[i, j] * 100:.1f} %",
            }
            for j, other in enumerate(class_names)
        ]
        for i, label in enumerate(class_names)
    ]
