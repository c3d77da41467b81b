"""The figures of a run: curves that grow by the epoch and the batch, and the confusion of the last epoch.

Figures are built in one step from plain values, since a page redraws them every second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.charts.palette import SERIES_COLORS
from fer_core.emotions import LABELS

# Quiet tones that hold on light and dark ground and are no emotion's.
TRAINING, VALIDATION = "#858D98", "#4F7CAC"
_DASHES = ("solid", "dash", "dot")

# What can be compared between runs: column of the history, title, and whether it is a share of 1.
MEASURES: Mapping[str, tuple[str, bool]] = {
    "val_accuracy": ("Validation accuracy, %", True),
    "val_loss": ("Validation loss", False),
    "accuracy": ("Training accuracy, %", True),
    "loss": ("Training loss", False),
    "val_clear_accuracy": ("Clear faces right, %", True),
    "val_supported_negatives": ("Supported negative labels found, %", True),
    "val_majority_accuracy": ("Accuracy on the unique majority of votes, %", True),
    "val_label_accuracy": ("Accuracy on the labels, %", True),
    "val_balanced_accuracy": ("Balanced accuracy, %", True),
    "learning_rate": ("Learning rate", False),
}
_LEGEND_ROW_PX = 20
# Of values before smoothing, behind the smoothed ones.
_RAW_OPACITY = 0.3
_ACCURACY = "accuracy"
# The colour of a full cell of the confusion matrix, and the ground that thinner ones let through.
_CELL, _LIGHT, _DARK = (79, 124, 172), (255, 255, 255), (14, 17, 23)


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
        progress: the current epoch, as `RunFolder.progress` reads it; may be empty.
        steps_per_epoch: steps in an epoch.
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
    layout = _layout(quantity, epochs, height_px)
    layout["margin"]["t"], layout["annotations"] = 64, [_names(lines[:2])]
    return go.Figure({"data": lines, "layout": layout})


def _names(lines: Sequence[Mapping]) -> dict:
    """Return the names of lines beside their colours, one a row below the title, where no width cuts them off."""
    spans = [f'<span style="color:{line["line"]["color"]}">■</span> {line["name"]}' for line in lines]
    return {
        "text": "<br>".join(spans),
        "align": "left",
        "font": {"size": 12},
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
    }


def learning_rate_curve(rates: Sequence[float], epochs: int, height_px: int = 260) -> go.Figure:
    """Draw the learning rate at the end of each epoch, from the first on."""
    line = _line(list(range(1, len(rates) + 1)), list(rates), "learning rate", TRAINING, "rate")
    return go.Figure({"data": [line], "layout": _layout("rate", epochs, height_px)})


def rate_sweep_figure(
    rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], suggested: float | None
) -> go.Figure:
    """Draw the loss against a rising learning rate: each batch faintly, their moving average, and the suggestion.

    Args:
        rates: learning rate of each step.
        losses: of each step's batch.
        smoothed: their moving average.
        suggested: the rate to mark; none if None.
    """
    batches, mean = (_line(list(rates), list(values), "loss", TRAINING, "loss") for values in (losses, smoothed))
    lines = [{**batches, "opacity": _RAW_OPACITY, "mode": "lines"}, {**mean, "mode": "lines"}]
    for line in lines:
        line["hovertemplate"] = "rate %{x:.1e}: loss %{y:.3f}<extra></extra>"
    layout = _layout("loss", 1, 240)
    layout["title"]["text"] = "Loss by learning rate"
    layout["xaxis"] = {"type": "log", "fixedrange": True, "showgrid": False, "exponentformat": "e", "dtick": 1}
    # A loss that has diverged would press the rest of the curve flat.
    layout["yaxis"] |= {"range": [0.95 * min(smoothed), 1.15 * smoothed[0]]} if len(smoothed) else {}
    if suggested is not None:
        mark = {"type": "line", "x0": suggested, "x1": suggested, "y0": 0, "y1": 1, "yref": "paper"}
        layout["shapes"] = [{**mark, "line": {"color": VALIDATION, "width": 2, "dash": "dot"}}]
    return go.Figure({"data": lines, "layout": layout})


def compare_curves(
    groups: Mapping[str, Sequence[pd.DataFrame]],
    measure: str,
    smoothing: float = 0.0,
    log: bool = False,
    height_px: int = 300,
) -> go.Figure:
    """Lay one measure of several runs, or groups of runs, over each other.

    Args:
        groups: name of each run or group to its histories; several are drawn as their mean with a band of one standard
            deviation to either side.
        measure: one of `MEASURES`.
        smoothing: weight of the past in an exponential moving average, 0 for none, below 1.
        log: whether the y axis is logarithmic; percentages stay as they are.
        height_px: height of the figure, without the legend.
    """
    title, is_share = MEASURES[measure]
    lines = []
    for number, (name, histories) in enumerate(groups.items()):
        color, dash = SERIES_COLORS[number % len(SERIES_COLORS)], _DASHES[number // len(SERIES_COLORS) % len(_DASHES)]
        quantity = _ACCURACY if is_share else measure
        raw = [history[measure] * (100 if is_share else 1) for history in histories]
        if smoothing:
            lines += [_raw_line(name, curve, color, quantity) for curve in raw]
        lines += _group_lines(name, [_smooth(curve, smoothing) for curve in raw], color, dash, quantity)
    longest = max((len(history) for histories in groups.values() for history in histories), default=1)
    layout = _layout(_ACCURACY if is_share else "loss", longest, height_px)
    rows = -(-len(groups) // 3)
    layout |= {
        "height": height_px + rows * _LEGEND_ROW_PX,
        "uirevision": f"{measure} {log}",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -0.12,
            "yanchor": "top",
            "font": {"size": 12},
            "itemclick": False,
            "itemdoubleclick": False,
        },
    }
    layout["title"]["text"] = title
    if is_share:
        layout["yaxis"] |= {"range": None, "rangemode": "normal"}
    elif log:
        layout["yaxis"] |= {"type": "log", "rangemode": "normal"}
    return go.Figure({"data": lines, "layout": layout})


def _raw_line(name: str, values: pd.Series, color: str, quantity: str) -> dict:
    """Return the values of a run before smoothing, drawn faintly."""
    line = _line(list(range(1, len(values) + 1)), values.tolist(), name, color, quantity)
    faint = {"opacity": _RAW_OPACITY, "mode": "lines", "line": {"color": color, "width": 1}}
    return {**line, **faint, "hoverinfo": "skip", "hovertemplate": None, "showlegend": False, "legendgroup": name}


def _group_lines(name: str, curves: Sequence[pd.Series], color: str, dash: str, quantity: str) -> list[dict]:
    """Return the line of a run, or the mean of several with a band around it."""
    table = pd.concat([curve.reset_index(drop=True) for curve in curves], axis=1)
    epochs, mean = list(range(1, len(table) + 1)), table.mean(axis=1)
    label = f"{name}, mean of {len(curves)} seeds" if len(curves) > 1 else name
    line = _line(epochs, mean.tolist(), label, color, quantity)
    line = {**line, "line": {**line["line"], "dash": dash}, "legendgroup": name}
    if len(curves) == 1:
        return [line]
    deviation = table.std(axis=1).fillna(0)
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    band = {
        "type": "scatter",
        "x": epochs + epochs[::-1],
        "y": (mean + deviation).tolist() + (mean - deviation).tolist()[::-1],
        "fill": "toself",
        "fillcolor": f"rgba({red}, {green}, {blue}, 0.18)",
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "legendgroup": name,
        "showlegend": False,
        "name": f"{name}, standard deviation",
    }
    return [band, line]


def _smooth(values: pd.Series, weight: float) -> pd.Series:
    """Return an exponential moving average without a bias towards its start, as TensorBoard draws it."""
    return values.ewm(alpha=1 - weight, adjust=True).mean() if weight else values


def confusion_figure(
    confusion: Sequence[Sequence[int]],
    height_px: int = 340,
    dark: bool = False,
    class_names: Sequence[str] = LABELS,
) -> go.Figure:
    """Draw a confusion matrix, rows true and columns predicted, as shares of each row.

    Args:
        confusion: counts (k, k), in the order of the class names.
        height_px: height of the figure.
        dark: whether it stands on dark ground.
        class_names: of the k classes.
    """
    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    hover = [
        [f"{label}, taken for {other}: {counts[i, j]} of {counts[i].sum()}" for j, other in enumerate(class_names)]
        for i, label in enumerate(class_names)
    ]
    ground = f"rgba({_CELL[0]},{_CELL[1]},{_CELL[2]},"
    heat = {
        "type": "heatmap",
        "z": (shares * 100).tolist(),
        "x": list(class_names),
        "y": list(class_names),
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[0, f"{ground}0)"], [1, f"{ground}1)"]],
        "showscale": False,
        "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>",
        "xgap": 2,
        "ygap": 2,
    }
    axis = {"showgrid": False, "fixedrange": True, "tickfont": {"size": 12}, "zeroline": False, "automargin": True}
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
                "annotations": [
                    _cell_text(true, predicted, float(shares[i, j]), dark)
                    for i, true in enumerate(class_names)
                    for j, predicted in enumerate(class_names)
                ],
            },
        }
    )


def _cell_text(true: str, predicted: str, share: float, dark: bool) -> dict:
    ground = _DARK if dark else _LIGHT
    cell = [share * full + (1 - share) * bare for full, bare in zip(_CELL, ground, strict=True)]
    black, white = ((max(one, other) + 0.05) / (min(one, other) + 0.05) for one, other in _against(cell))
    # In the text itself: the page's theme overrides the colour of a font.
    text = f'<span style="color:{"#000000" if black > white else "#FFFFFF"}">{share * 100:.0f}</span>'
    return {"x": predicted, "y": true, "text": text, "showarrow": False, "font": {"size": 12}}


def _against(rgb: Sequence[float]) -> list[tuple[float, float]]:
    """Return the relative luminance of a colour beside that of black and of white, as WCAG 2 defines it."""
    linear = [(c / 255 + 0.055) ** 2.4 / 1.055**2.4 if c > 10 else c / 255 / 12.92 for c in rgb]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return [(luminance, 0.0), (luminance, 1.0)]


def _line(x: list[float], y: list[float], name: str, color: str, quantity: str) -> dict:
    unit = {"accuracy": "%{y:.1f} %", "learning_rate": "%{y:.2e}", "rate": "%{y:.2e}"}.get(quantity, "%{y:.3f}")
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": f"{name} {y[-1]:.{1 if quantity == _ACCURACY else 2}f}" if y and quantity != "rate" else name,
        "mode": "lines+markers" if len(x) < 30 else "lines",
        "line": {"color": color, "width": 2},
        "marker": {"size": 5, "color": color},
        "hovertemplate": f"{name}, epoch %{{x:.2~f}}: {unit}<extra></extra>",
    }


def _layout(quantity: str, epochs: int, height_px: int) -> dict:
    """Return the layout: fixed axes, so that nothing jumps."""
    title = {"accuracy": "Accuracy, %", "loss": "Loss", "rate": "Learning rate"}[quantity]
    y_axis = {"fixedrange": True, "zeroline": False, "automargin": True}
    if quantity == _ACCURACY:
        y_axis |= {"range": [0, 100]}
    else:
        y_axis |= {"rangemode": "tozero", "exponentformat": "e", "nticks": 6}
    return {
        "height": height_px,
        "margin": {"l": 0, "r": 8, "t": 28, "b": 0},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "uirevision": quantity,
        "title": {"text": title, "font": {"size": 13}, "x": 0, "y": 0.99, "yanchor": "top"},
        "xaxis": {
            "range": [0, epochs * 1.02],
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "tickvals": _ticks(epochs),
        },
        "yaxis": y_axis,
    }


def _ticks(epochs: int) -> list[int]:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, epochs) if epochs / step <= 7)
    return list(range(0, epochs + 1, step))
