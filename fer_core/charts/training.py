"""The figures of a run: curves that grow by the epoch and the batch, and the confusion of the last epoch.

Figures are built in one step from plain values, since a page draws them anew every second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.emotions import LABELS

# Quiet tones that hold on light and dark ground and are no emotion's.
TRAINING, VALIDATION = "#858D98", "#4F7CAC"
RUN_COLORS = ("#4F7CAC", "#A8652F", "#7A8B3A", "#8A5A9E", "#3F8F8A", "#858D98")
_DASHES = ("solid", "dash", "dot")

_ACCURACY, _LOSS = "accuracy", "loss"


def run_curves(
    history: pd.DataFrame,
    progress: pd.DataFrame,
    steps_per_epoch: int,
    epochs: int,
    quantity: str,
    height_px: int = 260,
) -> go.Figure:
    """Draw one quantity of training and validation over the epochs.

    Args:
        history: as `RunFolder.history` reads it; may be empty.
        progress: the epoch under way, as `RunFolder.progress` reads it; may be empty.
        steps_per_epoch: steps an epoch has.
        epochs: the run will have; the axis ends there, so that nothing jumps.
        quantity: "accuracy", drawn in percent, or "loss".
        height_px: height of the figure.
    """
    scale = 100 if quantity == _ACCURACY else 1
    ends = (history["epoch"] + 1).tolist()
    lines = [
        _line(ends, (history[quantity] * scale).tolist(), "training", TRAINING, quantity),
        _line(ends, (history[f"val_{quantity}"] * scale).tolist(), "validation", VALIDATION, quantity),
    ]
    if len(progress):
        x = progress["epoch"] + progress["step"] / max(1, steps_per_epoch)
        lines.append(
            {
                **_line(x.tolist(), (progress[quantity] * scale).tolist(), "training, this epoch", TRAINING, quantity),
                "mode": "lines",
                "line": {"color": TRAINING, "width": 1.5, "dash": "dot"},
            }
        )
    return go.Figure({"data": lines, "layout": _layout(quantity, epochs, height_px, lines[:2])})


def learning_rate_curve(rates: Sequence[float], epochs: int, height_px: int = 260) -> go.Figure:
    """Draw the learning rate at the end of each epoch, from the first on."""
    line = _line(list(range(1, len(rates) + 1)), list(rates), "learning rate", TRAINING, "rate")
    return go.Figure({"data": [line], "layout": _layout("rate", epochs, height_px, [])})


def compare_curves(histories: Mapping[str, pd.DataFrame], quantity: str, height_px: int = 300) -> go.Figure:
    """Lay one validation quantity, "accuracy" or "loss", of several runs over each other.

    Args:
        histories: name of each run to its history.
        quantity: "accuracy", drawn in percent, or "loss".
        height_px: height of the figure.
    """
    scale = 100 if quantity == _ACCURACY else 1
    lines = []
    for number, (name, history) in enumerate(histories.items()):
        color, dash = RUN_COLORS[number % len(RUN_COLORS)], _DASHES[number // len(RUN_COLORS) % len(_DASHES)]
        line = _line(
            (history["epoch"] + 1).tolist(), (history[f"val_{quantity}"] * scale).tolist(), name, color, quantity
        )
        lines.append({**line, "line": {**line["line"], "dash": dash}})
    longest = max((len(history) for history in histories.values()), default=1)
    return go.Figure({"data": lines, "layout": _layout(quantity, longest, height_px, lines)})


def confusion_figure(confusion: Sequence[Sequence[int]], height_px: int = 340) -> go.Figure:
    """Draw a confusion matrix, rows true and columns predicted, as shares of each row.

    Args:
        confusion: counts (7, 7), in the order of `LABELS`.
        height_px: height of the figure.
    """
    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 100
    words = [
        [f"{label}, taken for {other}: {counts[i, j]} of {counts[i].sum()}" for j, other in enumerate(LABELS)]
        for i, label in enumerate(LABELS)
    ]
    heat = {
        "type": "heatmap",
        "z": shares.tolist(),
        "x": list(LABELS),
        "y": list(LABELS),
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[0, "rgba(79,124,172,0.04)"], [1, "rgba(79,124,172,1)"]],
        "showscale": False,
        "customdata": words,
        "hovertemplate": "%{customdata}<extra></extra>",
        "texttemplate": "%{z:.0f}",
        "xgap": 2,
        "ygap": 2,
    }
    axis = {"showgrid": False, "fixedrange": True, "tickfont": {"size": 12}, "zeroline": False}
    return go.Figure(
        {
            "data": [heat],
            "layout": {
                "height": height_px,
                "margin": {"l": 0, "r": 0, "t": 24, "b": 0},
                "uirevision": "confusion",
                "xaxis": {**axis, "side": "bottom"},
                "yaxis": {**axis, "autorange": "reversed"},
                "title": {"text": "Rows: true. Columns: predicted. %", "font": {"size": 13}, "x": 0},
            },
        }
    )


def _line(x: list[float], y: list[float], name: str, color: str, quantity: str) -> dict:
    unit = {"accuracy": "%{y:.1f} %", "loss": "%{y:.3f}", "rate": "%{y:.2e}"}[quantity]
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": name,
        "mode": "lines+markers" if len(x) < 30 else "lines",
        "line": {"color": color, "width": 2},
        "marker": {"size": 5, "color": color},
        "hovertemplate": f"{name}, epoch %{{x:.2~f}}: {unit}<extra></extra>",
    }


def _layout(quantity: str, epochs: int, height_px: int, labelled: Sequence[Mapping]) -> dict:
    """Return the layout: fixed axes, so that nothing jumps, and each line named at its end."""
    words = {"accuracy": "Accuracy, %", "loss": "Loss", "rate": "Learning rate"}[quantity]
    y_axis = {"fixedrange": True, "zeroline": False, "automargin": True}
    if quantity == _ACCURACY:
        y_axis |= {"range": [0, 100]}
    else:
        y_axis |= {"rangemode": "tozero", "exponentformat": "e", "nticks": 6}
    names = [
        {
            "x": line["x"][-1],
            "y": line["y"][-1],
            "text": f"{line['name']} {line['y'][-1]:.{_digits(quantity)}f}",
            "showarrow": False,
            "xanchor": "left",
            "xshift": 8,
            "font": {"size": 12, "color": line["line"]["color"]},
        }
        for line in labelled
        if line["x"]
    ]
    return {
        "height": height_px,
        "margin": {"l": 0, "r": 0, "t": 28, "b": 0},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "uirevision": quantity,
        "annotations": _apart(names),
        "title": {"text": words, "font": {"size": 13}, "x": 0},
        # Room for the names at the right, also when the last epoch is done.
        "xaxis": {
            "range": [0, epochs * (1.3 if labelled else 1.02)],
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "tickvals": _ticks(epochs),
        },
        "yaxis": y_axis,
    }


def _apart(names: list[dict]) -> list[dict]:
    """Shift the names of lines that end close together, so that both can be read."""
    if len(names) == 2:
        upper, lower = sorted(names, key=lambda name: -name["y"])
        upper["yshift"], lower["yshift"] = 8, -8
    return names


def _digits(quantity: str) -> int:
    return 1 if quantity == _ACCURACY else 2


def _ticks(epochs: int) -> list[int]:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, epochs) if epochs / step <= 7)
    return list(range(0, epochs + 1, step))
