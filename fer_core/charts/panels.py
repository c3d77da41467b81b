"""Where the panels of a chart with several of them stand."""

from __future__ import annotations

from typing import Any


def panel_heading(text: str, x: float, y: float = 1.0) -> dict[str, Any]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 13},
    }


def panel_domains(panels: int, gap: float) -> list[tuple[float, float]]:
    """Return where each of some panels side by side begins and ends, as shares of the width."""
    width = (1 - gap * (panels - 1)) / panels
    return [(i * (width + gap), i * (width + gap) + width) for i in range(panels)]
