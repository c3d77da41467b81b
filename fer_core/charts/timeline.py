"""Tables to plotly figures. Numbers come ready; here they are only drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fer_core.emotions import class_colors

# What every chart passes to `st.plotly_chart(config=…)` unless it offers a download.
QUIET = {"displaylogo": False, "displayModeBar": False}

# Share of a lane's height that a score of 100 % fills.
_LANE_FILL = 0.86
_LETTER_PX = 6


def expression_course(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]], labels: Sequence[str], height_px: int
) -> go.Figure:
    """Draw scores over a video: one panel per face, one lane per expression.

    Args:
        panels: title to (time_s (n,), probs (n, k)): times in the video, rising, the same in all panels, and scores
            0 to 1; a row of NaN means that the face was not there.
        labels: the k names, drawn from top to bottom.
        height_px: height of the figure.
    """
    time_s = next(iter(panels.values()))[0]
    first_s, last_s = float(time_s[0]), max(float(time_s[-1]), float(time_s[0]) + 0.1)
    # As many words as have room, none twice, and none that meets that of the panel beside it.
    if len(panels) == 1:
        at_s = np.linspace(first_s, last_s, min(5, max(2, int(last_s - first_s) + 1)))
    else:
        at_s = np.array(_ticks(len(panels), last_s - first_s))[::-1] + last_s
    return _lanes(panels, labels, (first_s, last_s), (at_s.tolist(), [clock(each) for each in at_s]), height_px)


def clock(time_s: float) -> str:
    """Return a time of a video as players show it.

    >>> clock(3.26), clock(75), clock(3675)
    ('0:03', '1:15', '1:01:15')
    """
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


def _lanes(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]],
    labels: Sequence[str],
    span_s: tuple[float, float],
    ticks: tuple[list[float], list[str]],
    height_px: int,
) -> go.Figure:
    bases, colors = range(len(labels) - 1, -1, -1), class_colors(tuple(labels))
    data = [
        _lane(labels[k], colors[labels[k]], base, time_s, probs[:, k], number)
        for number, (time_s, probs) in enumerate(panels.values(), 1)
        for k, base in enumerate(bases)
    ]
    left_px = max(74, 14 + _LETTER_PX * max(map(len, labels)))
    # One plain dictionary: plotly's own ways to build it
    # piece by piece take five times as long.
    layout: dict[str, Any] = {
        "height": height_px,
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "margin": {"l": left_px, "r": 20, "t": 26 if len(panels) > 1 else 6, "b": 28},
        "yaxis": {
            "range": [-0.05, len(labels)],
            "tickvals": list(bases),
            "ticktext": list(labels),
            "ticklabelshift": -7,
            "showgrid": True,
            "zeroline": False,
            "fixedrange": True,
        },
        "annotations": [],
    }
    for number, (title, (left, right)) in enumerate(zip(panels, _domains(len(panels)), strict=True), 1):
        layout[f"xaxis{number}"] = {
            "domain": [left, right],
            "range": list(span_s),
            "tickvals": ticks[0],
            "ticktext": ticks[1],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        }
        if len(panels) > 1:
            layout["annotations"].append(
                {
                    "text": title,
                    "x": left,
                    "y": 1.0,
                    "xref": "paper",
                    "yref": "paper",
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "showarrow": False,
                }
            )
    return go.Figure({"data": data, "layout": layout})


def _ticks(panels: int, window_s: float) -> list[float]:
    """Return where the time axis is labelled, so that labels of neighbouring panels stay apart."""
    if panels == 1:
        return np.linspace(-window_s, 0, 5).tolist()
    count = max(1, 4 - panels)
    return [-window_s * (i + 0.5) / count for i in range(count)]


def _domains(panels: int, gap: float = 0.03) -> list[tuple[float, float]]:
    """Return where each of some panels side by side begins and ends, as shares of the width."""
    width = (1 - gap * (panels - 1)) / panels
    return [(i * (width + gap), i * (width + gap) + width) for i in range(panels)]


def _lane(label: str, color: str, base: int, at_s: np.ndarray, prob: np.ndarray, panel: int) -> dict[str, Any]:
    """Return one filled lane that stands on `base`; where the face was not there it is empty."""
    time_s = np.concatenate([at_s[:1], at_s, at_s[-1:]]).round(2)
    height = (np.concatenate([[0], np.nan_to_num(prob), [0]]) * _LANE_FILL).round(3)
    texts = [f"{label} {p * 100:.0f} %" if p == p else "" for p in prob.tolist()]
    return {
        "type": "scatter",
        "x": time_s,
        "y": base + height,
        "text": ["", *texts, ""],
        "name": label,
        "hovertemplate": "%{text}<extra></extra>",
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": color,
        "hoveron": "points",
        "xaxis": f"x{panel}",
        "yaxis": "y",
    }
