"""Robustness as a plotly chart. Numbers come ready; here they are only drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from fer_core.charts.panels import panel_domains, panel_heading

# By name of the corruption, (level, accuracy from 0 to 1) in order.
Robustness = Mapping[str, Sequence[tuple[float, float]]]


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
        left, right = panel_domains(columns, 0.035)[place % columns]
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
        layout["annotations"].append(panel_heading(corruption, left, top))
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
