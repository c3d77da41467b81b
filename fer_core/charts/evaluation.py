"""Figures of an evaluation as plotly charts. Numbers come ready; here they are only drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go

# Quiet tones that hold on light and dark ground and are no emotion's: one a model, in the order chosen.
MODEL_COLORS = ("#4F7CAC", "#A8652F", "#7A8B3A", "#8A5A9E", "#3F8F8A", "#858D98")
_QUIET = "#858D98"
# By name of the corruption, (level, accuracy from 0 to 1) in order.
Robustness = Mapping[str, Sequence[tuple[float, float]]]
_ROW_PX = 33
# Longer names take two lines, so that a phone has room for the dots.
_NAME_CHARACTERS = 26


@dataclass(frozen=True)
class AccuracyPoint:
    """One row of the chart of accuracies.

    Attributes:
        name: what stands left of the row.
        accuracy: or another share, 0 to 1.
        interval: its 95 % interval (low, high), None where none is known.
        description: what the row says when pointed at.
        color: "#RRGGBB".
        open: drawn as a ring, for what cannot be compared.
    """

    name: str
    accuracy: float
    interval: tuple[float, float] | None
    description: str
    color: str = _QUIET
    open: bool = False


def accuracy_chart(groups: Mapping[str, Sequence[AccuracyPoint]], people: tuple[float, float] | None) -> go.Figure:
    """Draw accuracies, or other shares, as dots with their intervals, group by group under a heading.

    Args:
        groups: heading to rows, from top to bottom; a group without rows is left out.
        people: the range within which people agree with the labels, a band behind all; None draws none.
    """
    figure, y, ticks = go.Figure(), 0.0, {}
    for heading, rows in groups.items():
        if not rows:
            continue
        figure.add_annotation(
            text=f"<b>{heading}</b>", x=0, xref="paper", xanchor="left", y=y, showarrow=False, font={"size": 12}
        )
        for row in rows:
            y += 1
            ticks[y] = "<br>".join(wrap(row.name, _NAME_CHARACTERS))
            _dot(figure, row, y)
        y += 1
    low, high = _span([row for rows in groups.values() for row in rows], people)
    if people:
        figure.add_shape(
            type="rect",
            x0=people[0] * 100,
            x1=people[1] * 100,
            y0=0,
            y1=1,
            yref="paper",
            line_width=0,
            fillcolor="rgba(133,141,152,0.16)",
            layer="below",
        )
        figure.add_annotation(
            text="people", x=sum(people) * 50, y=1, yref="paper", yanchor="bottom", showarrow=False, font={"size": 12}
        )
    figure.update_xaxes(range=[low * 100, high * 100], ticksuffix=" %", fixedrange=True, zeroline=False, tickangle=0)
    figure.update_yaxes(
        range=[y - 0.4, -0.6],
        tickvals=list(ticks),
        ticktext=list(ticks.values()),
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        ticklabelstandoff=8,
        automargin=True,
    )
    figure.update_layout(
        height=int(_ROW_PX * y + 62),
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        margin={"l": 0, "r": 24, "t": 24, "b": 28},
    )
    return figure


def _dot(figure: go.Figure, row: AccuracyPoint, y: float) -> None:
    arms = None
    if row.interval:
        arms = {
            "type": "data",
            "symmetric": False,
            "array": [(row.interval[1] - row.accuracy) * 100],
            "arrayminus": [(row.accuracy - row.interval[0]) * 100],
            "thickness": 2,
            "width": 4,
            "color": row.color,
        }
    figure.add_scatter(
        x=[row.accuracy * 100],
        y=[y],
        error_x=arms,
        mode="markers+text",
        text=[f"  {row.accuracy * 100:.1f} %"],
        textposition="top center" if row.interval else "middle right",  # off the arms
        marker={
            "size": 9,
            "color": row.color,
            "line": {"width": 2, "color": row.color},
            "symbol": "circle-open" if row.open else "circle",
        },
        hovertext=[row.description],
        hovertemplate="%{hovertext}<extra></extra>",
        textfont={"size": 12},
        cliponaxis=False,  # the text of a small share reaches over the axis
    )


def _span(rows: Sequence[AccuracyPoint], people: tuple[float, float] | None) -> tuple[float, float]:
    """Return where the axis begins and ends, in tens of percent, with room for the text at the right."""
    values = [value for row in rows for value in (row.accuracy, *(row.interval or ()))] + list(people or ())
    low, high = min(values, default=0.5), max(values, default=0.9)
    return max(0.0, math.floor((low - 0.02) * 10) / 10), min(1.04, math.ceil(high * 10 + 0.5) / 10)


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
        "margin": {"l": 48, "r": 4, "t": 30, "b": 40},
        "annotations": [],
    }
    most = max(int(diagram.count.max()) for diagram in diagrams)
    data = []
    for number, (diagram, (left, right)) in enumerate(zip(diagrams, _domains(len(diagrams), 0.07), strict=True)):
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
        layout["annotations"].append(_heading(diagram.title, left))
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


def robustness_chart(
    models: Mapping[str, Robustness],
    units: Mapping[str, str],
    colors: Mapping[str, str],
    height_px: int = 520,
) -> go.Figure:
    """Draw accuracy against level as small multiples: one panel a corruption, one line a model.

    Args:
        models: name to the levels of each corruption.
        units: name of each corruption to the unit of its levels, in the order of the panels.
        colors: name of each model to its "#RRGGBB".
        height_px: height of the figure.
    """
    columns, rows = 4, math.ceil(len(units) / 4)
    layout: dict[str, Any] = {
        "height": height_px,
        "dragmode": False,
        "hovermode": "closest",
        "annotations": [],
        "margin": {"l": 44, "r": 4, "t": 56 if len(models) > 1 else 26, "b": 40},
        "showlegend": len(models) > 1,
        "legend": {"orientation": "h", "x": 0, "y": 1.07, "yanchor": "bottom"},
    }
    data = []
    for place, (corruption, unit) in enumerate(units.items()):
        left, right = _domains(columns, 0.035)[place % columns]
        top = 1 - (place // columns) * (1 / rows + 0.06)
        bottom = top - (1 / rows - 0.12)
        axis = place + 1
        layout[f"xaxis{axis}"] = {
            "domain": [left, right],
            "anchor": f"y{axis}",
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "tickvals": _levels(models, corruption),
            "title": {"text": unit, "font": {"size": 11}, "standoff": 4},
            **({"autorange": "reversed"} if _falling(models, corruption) else {}),
        }
        layout[f"yaxis{axis}"] = {
            "domain": [max(0.0, bottom), top],
            "anchor": f"x{axis}",
            "range": [0, 100],
            "nticks": 5,
            "ticksuffix": " %",
            "fixedrange": True,
            "zeroline": False,
            "showticklabels": place % columns == 0,
        }
        layout["annotations"].append(_heading(corruption, left, top))
        data += [
            _robustness_line(name, curves[corruption], corruption, axis, colors[name])
            for name, curves in models.items()
        ]
    return go.Figure({"data": data, "layout": layout})


def _robustness_line(
    name: str, levels: Sequence[tuple[float, float]], corruption: str, axis: int, color: str
) -> dict[str, Any]:
    clean = [level == 0 for level, _ in levels]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [level for level, _ in levels],
        "y": [accuracy * 100 for _, accuracy in levels],
        "name": name,
        "legendgroup": name,
        "showlegend": axis == 1,
        "line": {"color": color, "width": 2},
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        # The picture as it is stands out as a ring.
        "marker": {
            "color": color,
            "size": [12 if is_clean else 6 for is_clean in clean],
            "line": {"width": 2, "color": color},
            "symbol": ["circle-open" if is_clean else "circle" for is_clean in clean],
        },
        "hovertemplate": f"{name}, {corruption} %{{x}}: %{{y:.1f}} %<extra></extra>",
    }


def _levels(models: Mapping[str, Robustness], corruption: str) -> list[float]:
    return [level for level, _ in next(iter(models.values()))[corruption]]


def _falling(models: Mapping[str, Robustness], corruption: str) -> bool:
    """Tell whether a smaller number is the worse picture, so that every panel gets worse to the right."""
    levels = _levels(models, corruption)
    return levels[0] > levels[-1]


def _heading(text: str, x: float, y: float = 1.0) -> dict[str, Any]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13},
    }


def _domains(panels: int, gap: float) -> list[tuple[float, float]]:
    """Return where each of some panels side by side begins and ends, as shares of the width."""
    width = (1 - gap * (panels - 1)) / panels
    return [(i * (width + gap), i * (width + gap) + width) for i in range(panels)]
