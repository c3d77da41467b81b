"""Accuracies as plotly charts. Numbers come ready; here they are only drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

import plotly.graph_objects as go

# Quiet tones that hold on light and dark ground and are no emotion's: one a model, in the order chosen.
_QUIET = "#858D98"
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
