"""The drawings of a report: plain SVG that follows the page's own colours and needs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

# Quiet tones that hold on light and dark ground; one a model.
TONES = ("#4F7CAC", "#A8652F", "#7A8B3A", "#8A5A9E", "#3F8F8A", "#858D98")
_SIDE, _LEFT, _BELOW = 220, 40, 26


def reliability_svg(bins: Sequence[Mapping[str, float]], title: str) -> str:
    """Draw a reliability diagram.

    Args:
        bins: those that hold faces, each with `low`, `high` and `accuracy`, 0 to 1, and `faces`.
        title: what it shows, also for those who cannot see it.
    """
    bars = "".join(
        f'<rect x="{_x(each["low"]) + 1:.1f}" y="{_y(each["accuracy"]):.1f}" '
        f'width="{(each["high"] - each["low"]) * _SIDE - 2:.1f}" height="{each["accuracy"] * _SIDE:.1f}" '
        f'fill="{TONES[0]}">'
        f"<title>{each['faces']:,} faces scored {each['low']:.0%} to {each['high']:.0%}: {each['accuracy']:.1%} right"
        "</title></rect>"
        for each in bins
    )
    line = f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="currentColor" stroke-dasharray="3 4"/>'
    return _framed(bars + line, title, "best score", ("0 %", "50 %", "100 %"))


def curves_svg(curves: Mapping[str, Sequence[Mapping[str, float]]], title: str, unit: str) -> str:
    """Draw accuracy against the level of a fault, one line a model.

    Args:
        curves: name of each model to its `level` and `accuracy`, 0 to 1, in order.
        title: the fault.
        unit: of the levels.
    """
    levels = [each["level"] for each in next(iter(curves.values()))]
    parts = []
    for number, (name, points) in enumerate(curves.items()):
        tone = TONES[number % len(TONES)]
        at = [(_x(i / max(1, len(points) - 1)), _y(each["accuracy"])) for i, each in enumerate(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{tone}" stroke-width="2"/>')
        for (x, y), each in zip(at, points, strict=True):
            clean = each["level"] == 0
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{5 if clean else 3}" stroke="{tone}" stroke-width="2" '
                f'fill="{"none" if clean else tone}"><title>{escape(name)}, {each["level"]:g}: '
                f"{each['accuracy']:.1%}</title></circle>"
            )
    return _framed("".join(parts), title, unit, tuple(f"{level:g}" for level in levels))


def _framed(content: str, title: str, below: str, ticks: Sequence[str]) -> str:
    across = "".join(
        f'<text x="{_x(i / max(1, len(ticks) - 1)):.1f}" y="{_SIDE + 24}" text-anchor="middle">{escape(tick)}</text>'
        for i, tick in enumerate(ticks)
    )
    up = "".join(
        f'<line x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{_y(share)}" y2="{_y(share)}" class="grid"/>'
        f'<text x="{_LEFT - 6}" y="{_y(share) + 4}" text-anchor="end">{share:.0%}</text>'
        for share in (0, 0.5, 1)
    )
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {_SIDE + _LEFT + 20} {_SIDE + _BELOW + 24}">{up}{content}{across}'
        f'<text x="{_LEFT + _SIDE / 2}" y="{_SIDE + 42}" text-anchor="middle">{escape(below)}</text></svg>'
        "</figure>"
    )


def _x(share: float) -> float:
    return _LEFT + share * _SIDE


def _y(share: float) -> float:
    return 8 + (1 - share) * _SIDE


def legend(names: Sequence[str]) -> str:
    """Return which line is whose."""
    return (
        '<p class="legend">'
        + "".join(
            f'<span><i style="background:{TONES[number % len(TONES)]}"></i>{escape(name)}</span>'
            for number, name in enumerate(names)
        )
        + "</p>"
    )


def shade(share: float, right: bool) -> str:
    """Return the background of a cell of a confusion matrix, by its share of the row, 0 to 1."""
    return f"color-mix(in srgb, {TONES[0] if right else TONES[1]} {3 + share * 60:.0f}%, transparent)"
