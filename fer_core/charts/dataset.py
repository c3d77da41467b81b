"""Tables about a data set to plotly figures. Numbers come ready; here they are only drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from fer_core.emotions import class_colors

# For what is none of the expressions: contempt, unknown, no face, a tie.
OTHER_COLOR = "#A9A294"

NOT_VOTED_COLOR = "#6B7178"

# Splits are no expressions: a gray for the many that are trained on, and hues that no emotion has.
SPLIT_COLORS = {
    "Training": "#9A9D9F",
    "PublicTest": "#7A4FD0",
    "PrivateTest": "#1E8A8A",
    "Test": "#7A4FD0",
    "Validation": "#8C6D2E",
}

# From a gray that stays behind on light and dark to a red that stands out on both.
_HEAT = [[0, "#A9A9A4"], [0.5, "#C58A00"], [1, "#C8371F"]]

# A segment of a bar narrower than this share has no room for its text.
_LEAST_LABELLED = 0.085
_MANY_POINTS = 10_000
_INK, _PAPER = "#0B0E12", "#FFFFFF"


def class_counts(counts: np.ndarray, labels: Sequence[str], height_px: int, widest: float) -> go.Figure:
    """Draw how many images each class has, as bars of their share with the count beside.

    Args:
        counts: int (k,), images by class.
        labels: the k names, drawn from top to bottom.
        height_px: height of the figure.
        widest: share, 0 to 1, at which the axis ends; the same for figures that stand side by side.
    """
    shares = counts / max(1, counts.sum())
    texts = [f"{count:,}  ({share * 100:.1f} %)" for count, share in zip(counts, shares, strict=True)]
    bars = go.Bar(
        x=shares,
        y=list(labels),
        orientation="h",
        marker={"color": list(class_colors(tuple(labels)).values())},
        text=texts,
        textposition="outside",
        textfont={"size": 13},
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure = go.Figure(bars)
    # Room for the words at the end of the longest bar.
    figure.update_xaxes(range=[0, widest * 2.1], visible=False, fixedrange=True)
    _rows(figure, labels, height_px)
    return figure


def what_people_saw(seen: np.ndarray, labels: Sequence[str], other: str, height_px: int) -> go.Figure:
    """Draw for each label what most people saw in its images: one full bar, the label's own share first.

    Args:
        seen: int (k, k + 1), images by label and by what was seen, the last column for `other`.
        labels: the k names, drawn from top to bottom.
        other: the name of the last column.
        height_px: height of the figure.
    """
    names = [*labels, other]
    colors = [*class_colors(tuple(labels)).values(), OTHER_COLOR]
    shares = seen / np.maximum(1, seen.sum(axis=1, keepdims=True))
    # The label's own column comes first, the others keep their order.
    order = np.array([[k, *(j for j in range(len(names)) if j != k)] for k in range(len(labels))])
    figure = go.Figure()
    for place in order.T:
        share = shares[np.arange(len(labels)), place]
        texts = [f"{names[j]} {value * 100:.0f} %" for j, value in zip(place, share, strict=True)]
        fitting = [word if value >= _LEAST_LABELLED else "" for word, value in zip(texts, share, strict=True)]
        figure.add_bar(
            x=share,
            y=list(labels),
            orientation="h",
            hovertext=texts,
            marker={"color": [colors[j] for j in place], "line": {"width": 1, "color": "rgba(0,0,0,0)"}},
            text=fitting,
            textfont={"color": [text_on(colors[j]) for j in place], "size": 13},
            textangle=0,
            textposition="inside",
            insidetextanchor="middle",
            constraintext="none",
            hovertemplate="labelled %{y}, seen as %{hovertext}<extra></extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(range=[0, 1], visible=False, fixedrange=True)
    _rows(figure, labels, height_px)
    return figure


def face_map(
    xy: np.ndarray,
    rows: np.ndarray,
    groups: Mapping[str, tuple[np.ndarray, str]],
    titles: Sequence[str],
    height_px: int,
) -> go.Figure:
    """Draw faces as points, one colour per group.

    Args:
        xy: float (n, 2), positions of all n faces.
        rows: int (n,), the face of each point; a selection gives them back as `customdata`.
        groups: name to (bool (n,), "#RRGGBB"), in the order of the legend.
        titles: what each point says when pointed at, n sentences.
        height_px: height of the figure.
    """
    figure = go.Figure()
    texts = np.asarray(titles)
    # The largest group is drawn first, so that none is buried; the legend keeps its own order.
    for name in sorted(groups, key=lambda name: -np.count_nonzero(groups[name][0])):
        members, color = groups[name]
        figure.add_scattergl(
            x=xy[members, 0],
            y=xy[members, 1],
            customdata=rows[members],
            name=name,
            mode="markers",
            text=texts[members],
            hovertemplate="%{text}<extra></extra>",
            legendrank=list(groups).index(name),
            marker={"color": color, "size": _point_px(len(rows)), "opacity": 0.7},
            unselected={"marker": {"opacity": 0.12}},
        )
    return _as_map(figure, xy, height_px)


def face_heat(xy: np.ndarray, rows: np.ndarray, share: np.ndarray, titles: Sequence[str], height_px: int) -> go.Figure:
    """Draw faces as points whose colour is a share from 0 to 1; the other arguments are those of `face_map`."""
    order = np.argsort(share, kind="stable")  # the largest on top
    figure = go.Figure(
        go.Scattergl(
            x=xy[order, 0],
            y=xy[order, 1],
            customdata=rows[order],
            mode="markers",
            text=np.asarray(titles)[order],
            hovertemplate="%{text}<extra></extra>",
            unselected={"marker": {"opacity": 0.12}},
            marker={
                "color": share[order],
                "cmin": 0,
                "cmax": 1,
                "size": _point_px(len(rows)),
                "opacity": 0.8,
                "colorscale": _HEAT,
                "colorbar": {
                    "tickvals": [0, 0.5, 1],
                    "ticktext": ["0 %", "50 %", "100 %"],
                    "thickness": 10,
                    "len": 0.5,
                    "y": 1,
                    "yanchor": "top",
                    "outlinewidth": 0,
                },
            },
        )
    )
    return _as_map(figure, xy, height_px)


def _point_px(count: int) -> int:
    return 3 if count > _MANY_POINTS else 5


def _as_map(figure: go.Figure, xy: np.ndarray, height_px: int) -> go.Figure:
    """Nothing but the points: principal components have no unit. Few outliers must not squeeze the rest together."""
    low, high = np.quantile(xy, [0.002, 0.998], axis=0)
    margin = 0.06 * (high - low)
    for axes, start, end in zip((figure.update_xaxes, figure.update_yaxes), low - margin, high + margin, strict=True):
        axes(visible=False, range=[start, end])
    figure.update_layout(
        height=height_px,
        dragmode="lasso",
        hovermode="closest",
        margin={"l": 0, "r": 0, "t": 34, "b": 0},
        legend={
            "orientation": "h",
            "y": 1,
            "yanchor": "bottom",
            "x": 0,
            "itemsizing": "constant",
            "font": {"size": 13},
            "title": None,
        },
    )
    return figure


def text_on(color: str) -> str:
    """Return the ink, dark or white, that is easier to read on `color`, "#RRGGBB"."""
    return max((_INK, _PAPER), key=lambda ink: _contrast(ink, color))


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """Return the relative luminance, 0 to 1, of sRGB "#RRGGBB" (WCAG 2.1)."""
    value = np.frombuffer(bytes.fromhex(color.removeprefix("#")), np.uint8) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _rows(figure: go.Figure, labels: Sequence[str], height_px: int) -> None:
    """One row per label, from top to bottom, and nothing around them."""
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=list(labels)[::-1],
        showgrid=False,
        ticks="",
        fixedrange=True,
        tickfont={"size": 13},
        ticklabelstandoff=6,
    )
    figure.update_layout(
        height=height_px,
        bargap=0.28,
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        margin={"l": 0, "r": 8, "t": 4, "b": 4},
    )
