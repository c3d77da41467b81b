"""The chart of the last minute, drawn by the browser from whole percents: a tenth of what a figure of Plotly costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from fer_core.emotions import class_colors

# The room that style.css keeps for it: 15.5rem.
_HEIGHT_PX = 230

_CSS = f"""
#lanes {{ position: relative; height: {_HEIGHT_PX}px; }}
svg {{ display: block; width: 100%; height: 100%; font: 12px/1 var(--st-font); }}
text {{ fill: color-mix(in srgb, var(--st-text-color) 78%, transparent); }}
.base {{ stroke: var(--st-border-color); stroke-width: 1; }}
#tip {{ position: absolute; pointer-events: none; padding: 0.2rem 0.5rem; border-radius: 0.4rem; white-space: nowrap;
  font: 0.8rem var(--st-font); color: var(--st-text-color); background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); }}
#tip[hidden] {{ display: none; }}
"""

_component = st.components.v2.component(
    "fer_timeline",
    html='<div id=lanes><svg role=img aria-label="Scores of the last minute, one lane per expression"></svg>'
    "<div id=tip hidden></div></div>",
    css=_CSS,
    js=(Path(__file__).parent / "timeline.js").read_text(encoding="utf-8"),
)


def lanes(panels: Mapping[str, tuple[np.ndarray, np.ndarray]], labels: Sequence[str], window_s: float) -> None:
    """Draw scores over the last seconds: one panel per face, one lane per expression.

    Args:
        panels: title to (ago_s (n,), probs (n, k)): seconds before now, oldest first, and scores 0 to 1; a row of NaN
            means that the face was not there.
        labels: the k names, drawn from top to bottom.
        window_s: length of the time axis in seconds.
    """
    colors = class_colors(tuple(labels))
    faces = [
        {"title": title, "ago_s": ago_s.round(1).tolist(), "scores": _percents(probs)}
        for title, (ago_s, probs) in panels.items()
    ]
    data = {"labels": list(labels), "colors": [colors[label] for label in labels], "window_s": window_s, "faces": faces}
    _component(key="timeline", data=data)


def _percents(probs: np.ndarray) -> list[list[int | None]]:
    """Return scores (n, k) as k lists of whole percents, None where there is none."""
    return [[None if p != p else round(100 * p) for p in lane] for lane in probs.T.tolist()]
