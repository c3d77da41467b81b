"""Calibration as plotly charts. Numbers come ready; here they are only drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fer_core.charts.panels import panel_domains, panel_heading

_QUIET = "#858D98"


@dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """One reliability diagram: its title and its bins of the best score; all shares 0 to 1."""

    title: str
    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def reliability_chart(diagrams: Sequence[ReliabilityBins], color: str, height_px: int = 400) -> go.Figure:
    """Draw reliability diagrams side by side, each with the number of faces by bin beneath.

    Args:
        diagrams: one or two, drawn to the same scales.
        color: of what is right, "#RRGGBB".
        height_px: height of the figure.
    """
    layout: dict[str, Any] = {
        "height": height_px,
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "bargap": 0.08,
        "margin": {"l": 48, "r": 4, "t": 46, "b": 40},  # titles have two lines, so that a phone has room for them
        "annotations": [],
    }
    most = max(int(diagram.count.max()) for diagram in diagrams)
    data = []
    for number, (diagram, (left, right)) in enumerate(zip(diagrams, panel_domains(len(diagrams), 0.07), strict=True)):
        upper, lower = 2 * number + 1, 2 * number + 2
        data += _reliability_traces(diagram, upper, lower, color)
        axis = {"range": [0, 100], "ticksuffix": " %", "fixedrange": True, "zeroline": False}
        layout[f"xaxis{upper}"] = {**axis, "domain": [left, right], "anchor": f"y{upper}", "showticklabels": False}
        layout[f"xaxis{lower}"] = {
            **axis,
            "domain": [left, right],
            "anchor": f"y{lower}",
            "title": {"text": "Best score", "font": {"size": 12}},
        }
        layout[f"yaxis{upper}"] = {
            **axis,
            "domain": [0.32, 1],
            "anchor": f"x{upper}",
            "title": {"text": "Right" if not number else "", "font": {"size": 12}},
        }
        layout[f"yaxis{lower}"] = {
            "range": [0, most * 1.08],
            "domain": [0, 0.24],
            "anchor": f"x{lower}",
            "nticks": 3,
            "fixedrange": True,
            "zeroline": False,
            "title": {"text": "Faces" if not number else "", "font": {"size": 12}},
        }
        layout["annotations"].append(panel_heading(diagram.title, left))
    return go.Figure({"data": data, "layout": layout})


def _reliability_traces(diagram: ReliabilityBins, upper: int, lower: int, color: str) -> list[dict[str, Any]]:
    middle, some = (diagram.edges[:-1] + diagram.edges[1:]) * 50, diagram.count > 0
    width = float(diagram.edges[1] - diagram.edges[0]) * 100 * 0.92
    descriptions = [
        f"{n:,} faces scored {low * 100:.0f} to {high * 100:.0f} %, on average {c * 100:.1f} %: {a * 100:.1f} % right"
        if n
        else ""
        for n, low, high, c, a in zip(
            diagram.count, diagram.edges[:-1], diagram.edges[1:], diagram.confidence, diagram.accuracy, strict=True
        )
    ]
    hover = {
        "hovertext": [text for text in descriptions if text],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "x": middle[some].tolist(),
        "width": width,
    }
    top = {"xaxis": f"x{upper}", "yaxis": f"y{upper}"}
    return [
        {
            "type": "bar",
            "y": (diagram.accuracy[some] * 100).tolist(),
            "marker": {"color": color, "opacity": 0.75},
            **hover,
            **top,
        },
        # What the scores promise: how far a bar is from it is its part of the error.
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0, 100],
            "y": [0, 100],
            "hoverinfo": "skip",
            "line": {"color": _QUIET, "width": 1.5, "dash": "dot"},
            **top,
        },
        {
            "type": "bar",
            "y": diagram.count[some].tolist(),
            "marker": {"color": _QUIET, "opacity": 0.7},
            **hover,
            "xaxis": f"x{lower}",
            "yaxis": f"y{lower}",
        },
    ]


def coverage_chart(
    coverage: np.ndarray,
    accuracy: np.ndarray,
    chosen: tuple[float, float | None],
    marked: tuple[float, float | None] | None,
    color: str,
    height_px: int = 320,
) -> go.Figure:
    """Draw accuracy against coverage, the share of faces that are not called uncertain.

    Args:
        coverage, accuracy: float (n,), the curve, 0 to 1.
        chosen: the point of the threshold that is looked at; its accuracy is None where no face is covered.
        marked: the point of the model's own threshold; None if it has none.
        color: of the curve, "#RRGGBB".
        height_px: height of the figure.
    """
    keep = np.unique(np.linspace(0, len(coverage) - 1, 400).astype(int))
    figure = go.Figure(
        go.Scatter(
            x=coverage[keep] * 100,
            y=accuracy[keep] * 100,
            mode="lines",
            line={"color": color, "width": 2.5},
            hovertemplate="%{x:.1f} % of the faces, %{y:.1f} % of these right<extra></extra>",
        )
    )
    if marked and marked[1] is not None:
        figure.add_scatter(
            x=[marked[0] * 100],
            y=[marked[1] * 100],
            mode="markers",
            hovertemplate="the model's own: %{x:.1f} % of the faces, %{y:.1f} % of these right<extra></extra>",
            marker={"symbol": "diamond-open", "size": 13, "color": color, "line": {"width": 2}},
        )
        figure.add_annotation(
            x=marked[0] * 100,
            y=marked[1] * 100,
            text="the model's own",
            ax=0,
            ay=34,
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            font={"size": 12},
        )
    if chosen[1] is not None:
        figure.add_scatter(
            x=[chosen[0] * 100],
            y=[chosen[1] * 100],
            mode="markers",
            hoverinfo="skip",
            marker={"size": 13, "color": color},
        )
    low = math.floor(float(np.min(accuracy[keep])) * 10) * 10
    axis = {"ticksuffix": " %", "fixedrange": True, "zeroline": False}
    figure.update_xaxes(
        range=[0, 101], dtick=20, title={"text": "Coverage: faces not called uncertain", "font": {"size": 12}}, **axis
    )
    figure.update_yaxes(range=[min(50, low), 102], title={"text": "Accuracy of these", "font": {"size": 12}}, **axis)
    return figure.update_layout(
        height=height_px,
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        margin={"l": 0, "r": 26, "t": 12, "b": 40},
    )
