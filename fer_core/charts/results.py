"""What `analyze` and `analyze_video` give, as a figure: bars for a picture, curves over time for a video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import plotly.graph_objects as go

from fer_core.charts.timeline import expression_course
from fer_core.emotions import class_colors
from fer_core.types import FrameResult

_MAX_PANELS = 3
_PANEL_PX, _BAR_PX, _COURSE_PX = 40, 26, 280


def plot(results: FrameResult | Iterable[FrameResult]) -> go.Figure:
    """Draw the scores of a picture's faces as bars, or those of a video's faces over time.

    >>> plot(recognizer.analyze("photo.jpg")).show()
    >>> plot(recognizer.analyze_video("clip.mp4")).write_html("clip.html")

    Args:
        results: of one picture, or of a video's frames in their order; of a video the three faces are drawn that were
            there longest.

    Raises:
        ValueError: there is no frame in it.
    """
    if isinstance(results, FrameResult):
        return _bars(results)
    frames = list(results)
    if not frames:
        raise ValueError("expected the results of at least one frame, got none")
    return _course(frames)


def _bars(result: FrameResult) -> go.Figure:
    labels = result.prediction.labels
    colors = [class_colors(labels)[label] for label in labels]
    titles = [f"Face {face + 1}" for face in result.track_id.tolist()]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "x": probs,
            "y": [[title] * len(labels), list(labels)],
            "marker": {"color": colors},
            "text": [f"{score:.0%}" for score in probs.tolist()],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
        }
        for title, probs in zip(titles, result.prediction.probs, strict=True)
    ]
    layout = {
        "showlegend": False,
        "height": _PANEL_PX + max(1, len(bars)) * _BAR_PX * len(labels),
        "margin": {"l": 130, "r": 50, "t": 10, "b": 30},
        "xaxis": {"range": [0, 1], "tickformat": ".0%"},
        "yaxis": {"autorange": "reversed"},
    }
    return go.Figure({"data": bars, "layout": layout})


def _course(frames: Sequence[FrameResult]) -> go.Figure:
    labels = frames[0].prediction.labels
    counts = Counter(face for result in frames for face in result.track_id.tolist())
    shown = sorted(face for face, _ in counts.most_common(_MAX_PANELS))
    time_s = np.array([result.time_s for result in frames])
    probs = {face: np.full((len(frames), len(labels)), np.nan, np.float32) for face in shown or [0]}
    for i, result in enumerate(frames):
        for face, scores in zip(result.track_id.tolist(), result.prediction.probs, strict=True):
            if face in probs:
                probs[face][i] = scores
    panels = {f"Face {face + 1}": (time_s, scores) for face, scores in probs.items()}
    return expression_course(panels, labels, _COURSE_PX)
