"""The drawings of a report: SVG by matplotlib that takes its text colour from the page, so both themes work.

Text stays text in the reader's own font, shapes say what they show when pointed at, and the same figures give the
same bytes.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_core.charts.palette import SERIES_COLORS
from fer_core.evaluation.calibration import Reliability
from fer_core.evaluation.results import RobustnessLevel

# Quiet tones that hold on light and dark ground and are no emotion's: one a model, in the order chosen.
_SIZE_IN = (3.1, 3.1)
# Stands for the page's text colour until the drawing is done; nothing else has it.
_INK = "#010203"
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fer_core",
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _INK,
    "grid.alpha": 0.18,
}
# matplotlib's settings are global to the process.
_settings = threading.Lock()


def reliability_svg(diagram: Reliability, title: str, figure_id: str) -> Markup:
    """Draw a reliability diagram.

    Args:
        diagram: accuracy by bins of the best score.
        title: what it shows, for those who cannot see it.
        figure_id: unique in the page.
    """
    filled = np.flatnonzero(diagram.count)
    low, high = diagram.edges[:-1], diagram.edges[1:]
    titles = {
        f"bin-{i}": f"{diagram.count[i]:,} faces scored {low[i]:.0%} to {high[i]:.0%}: {diagram.accuracy[i]:.1%} right"
        for i in filled
    }

    def draw(axes: Axes) -> None:
        for i in filled:
            middle, width = (low[i] + high[i]) * 50, (high[i] - low[i]) * 92
            [bar] = axes.bar(middle, diagram.accuracy[i] * 100, width, color=SERIES_COLORS[0], alpha=0.85)
            bar.set_gid(f"bin-{i}")
        axes.plot([0, 100], [0, 100], color=_INK, linewidth=1, linestyle=(0, (2, 3)))
        axes.set(xlim=(0, 100), xticks=(0, 50, 100), xlabel="best score")
        axes.xaxis.set_major_formatter("{x:.0f} %")

    return _svg(draw, title, titles, figure_id)


def robustness_svg(curves: Mapping[str, Sequence[RobustnessLevel]], title: str, unit: str, figure_id: str) -> Markup:
    """Draw accuracy against the level of a corruption, one line a model.

    Args:
        curves: name of each model to its levels, in order.
        title: the corruption.
        unit: of the levels.
        figure_id: unique in the page.
    """
    levels = [f"{level:g}" for level, _ in next(iter(curves.values()))]
    titles = {
        f"model-{number}-level-{place}": f"{name}, {level:g}: {accuracy:.1%}"
        for number, (name, points) in enumerate(curves.items())
        for place, (level, accuracy) in enumerate(points)
    }

    def draw(axes: Axes) -> None:
        for number, points in enumerate(curves.values()):
            color = SERIES_COLORS[number % len(SERIES_COLORS)]
            axes.plot([accuracy * 100 for _, accuracy in points], color=color, linewidth=2)
            for place, (level, accuracy) in enumerate(points):
                # The picture as it is stands out as a ring.
                face, size = ("none", 8) if level == 0 else (color, 4.5)
                [dot] = axes.plot(place, accuracy * 100, "o", color=color, mfc=face, mew=2, ms=size, clip_on=False)
                dot.set_gid(f"model-{number}-level-{place}")
        axes.set(xlim=(-0.2, len(levels) - 0.8), xlabel=unit)
        axes.set_xticks(range(len(levels)), levels)

    return _svg(draw, title, titles, figure_id)


def _svg(draw: Callable[[Axes], None], title: str, titles: Mapping[str, str], figure_id: str) -> Markup:
    with _settings, mpl.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE_IN, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set(ylim=(0, 100), yticks=(0, 50, 100))
        axes.yaxis.set_major_formatter("{x:.0f} %")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Markup(_embeddable(buffer.getvalue(), title, titles, figure_id))


def _embeddable(svg: str, title: str, titles: Mapping[str, str], figure_id: str) -> str:
    """Return a drawing for the inside of a page: named, with tooltips, the page's ink and ids of its own."""
    svg = svg.replace(_INK, "currentColor")
    svg = re.sub(r'font-family: [^;"]*(; )?', "", svg)  # the page's own
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK[1:-5])  # as HTML knows it
    root = ElementTree.fromstring(svg)
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    for name in ("width", "height"):
        del root.attrib[name]  # as wide as the page gives it
    root.set("role", "img")
    root.set("aria-label", title)
    for element in root.iter():
        _prefix_ids(element, titles, figure_id)
    return ElementTree.tostring(root, encoding="unicode")


def _prefix_ids(element: ElementTree.Element, titles: Mapping[str, str], figure_id: str) -> None:
    """Add an element's tooltip, and put the figure's prefix before its id and before those it refers to."""
    name = element.get("id", "")
    if name in titles:
        tooltip = ElementTree.Element(f"{{{_SVG}}}title")
        tooltip.text = titles[name]
        element.insert(0, tooltip)
    if name:
        element.set("id", f"{figure_id}-{name}")
    for attribute, value in element.attrib.items():
        value = value.replace("url(#", f"url(#{figure_id}-")
        element.set(attribute, f"#{figure_id}-{value[1:]}" if value.startswith("#") and attribute == _XLINK else value)
