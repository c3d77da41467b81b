"""Markers, ranges that are left out, and a cursor over curves of a session; means of conditions with their bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fer_core.charts.palette import SERIES_COLORS
from fer_core.charts.timeline import clock

_QUIET = SERIES_COLORS[-1]
_RANGE = "rgba(79, 124, 172, 0.16)"
_LEFT_OUT = "rgba(133, 141, 152, 0.30)"
_CURSOR = "#C8371F"
_SHOWN = 200  # more lines than that are a grey wall


def add_moments(
    figure: go.Figure,
    markers: Sequence[tuple[float, float | None, str, bool]],
    cursor_s: float | None,
    top: float,
) -> go.Figure:
    """Return a figure of curves over time with markers and a cursor.

    Args:
        figure: of `expression_course`.
        markers: of each its time, its end or None for a point, its name, and whether it is left out of summaries;
            seconds.
        cursor_s: where the cursor stands; None for none.
        top: largest value of the figure's vertical axis.
    """
    axes = [name.removeprefix("xaxis") for name in figure.to_plotly_json()["layout"] if name.startswith("xaxis")]
    shown = markers[:_SHOWN]
    shapes = [shape for axis in axes for marker in shown for shape in [_shape(axis, *marker)]]
    if cursor_s is not None:
        shapes += [_line(axis, cursor_s, _CURSOR, 2, "solid") for axis in axes]
    figure.update_layout(shapes=shapes)
    if shown:
        figure.add_traces([_heads(axis, shown, top) for axis in axes])
    return figure


def condition_curves(
    time_s: np.ndarray,
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    title: str,
    height_px: int,
) -> go.Figure:
    """Draw mean scores of conditions by time, each with a band.

    Args:
        time_s: (t,).
        curves: name of a condition to mean, low and high, (t,) each, 0 to 1; NaN where there is none.
        title: of the vertical axis.
        height_px: height of the figure.
    """
    figure = go.Figure()
    for number, (name, (mean, low, high)) in enumerate(curves.items()):
        color = SERIES_COLORS[number % len(SERIES_COLORS)]
        there = np.isfinite(low)
        figure.add_scatter(
            x=np.concatenate([time_s[there], time_s[there][::-1]]),
            y=np.concatenate([high[there], low[there][::-1]]) * 100,
            fill="toself",
            fillcolor=_translucent(color),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=time_s,
            y=mean * 100,
            name=name,
            line={"color": color, "width": 2, "dash": ("solid", "dash", "dot")[number % 3]},
            text=[clock(t) for t in time_s],
            hovertemplate=f"{name}, %{{text}}: %{{y:.1f}} %<extra></extra>",
        )
    ticks = np.linspace(0, float(time_s[-1]), 5)
    figure.update_layout(
        height=height_px,
        margin={"l": 60, "r": 20, "t": 10, "b": 30},
        dragmode=False,
        legend={"orientation": "h", "y": 1.12},
        xaxis={"tickvals": ticks, "ticktext": [clock(t) for t in ticks], "showgrid": False, "fixedrange": True},
        yaxis={"title": title, "range": [0, 100], "ticksuffix": " %", "fixedrange": True},
    )
    return figure


def _shape(axis: str, time_s: float, end_s: float | None, _: str, left_out: bool) -> dict[str, Any]:
    if end_s is None:
        return _line(axis, time_s, _QUIET, 1, "dot")
    color = _LEFT_OUT if left_out else _RANGE
    return {**_place(axis, time_s, end_s), "type": "rect", "fillcolor": color, "line": {"width": 0}, "layer": "above"}


def _line(axis: str, time_s: float, color: str, width: int, dash: str) -> dict[str, Any]:
    return {**_place(axis, time_s, time_s), "type": "line", "line": {"color": color, "width": width, "dash": dash}}


def _place(axis: str, begin_s: float, end_s: float) -> dict[str, Any]:
    return {"xref": f"x{axis}", "yref": "y domain", "x0": begin_s, "x1": end_s, "y0": 0, "y1": 1}


def _heads(axis: str, markers: Sequence[tuple[float, float | None, str, bool]], top: float) -> dict[str, Any]:
    """Return small heads on the markers' lines, which tell their names."""
    texts = [
        f"{label or 'no name'}{', left out' if left_out else ''} · {clock(time_s)}"
        + (f" to {clock(end_s)}" if end_s is not None else "")
        for time_s, end_s, label, left_out in markers
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [each[0] for each in markers],
        "y": [top] * len(markers),
        "marker": {"symbol": "triangle-down", "size": 9, "color": _QUIET},
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "xaxis": f"x{axis}",
        "yaxis": "y",
        "cliponaxis": False,
    }


def _translucent(color: str) -> str:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return f"rgba({red}, {green}, {blue}, 0.22)"
