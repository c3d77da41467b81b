"""An analysis as one page that loads nothing: its files, its faces, how their expressions went, how it was made.

The page's words and layout are in `report.html.j2` beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from fer_core.charts.timeline import clock
from fer_core.emotions import class_colors
from fer_core.html_pages import template
from fer_core.media.names import face_names, merge_faces
from fer_core.media.portraits import Moment
from fer_core.media.sources import is_picture
from fer_core.media.summary import FaceSummary, courses, summarize
from fer_core.recognition.table import score_columns

_TEMPLATE = "report.html.j2"
# Faces of a video whose course is drawn, those that were there longest, and points in each.
_DRAWN_FACES, _POINTS = 6, 300
WIDTH_PX, LANE_PX = 640, 26


@dataclass(frozen=True, eq=False)
class FaceReport:
    """A face of a file.

    Attributes:
        name: what it is called.
        summary: its scores in short.
        word: the expression that it showed longest, or "uncertain".
        share: share of its frames in which it did; of a picture the score, 0 to 1.
        lanes: of a video, how each score went, as the points of an SVG polygon; none if it is not drawn.
    """

    name: str
    summary: FaceSummary
    word: str
    share: float
    lanes: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class FileReport:
    """A picture or video.

    Attributes:
        name: of the file.
        is_picture: whether it is a picture.
        frames: how many of its frames were analysed.
        sound: what became of its sound in a copy; empty if nothing did.
        error: why it could not be read, or not to its end; empty if it was.
        span_s: times of its first and last frame, seconds.
        faces: those found most often first.
        not_valid: how many of its rows are not valid, by the reason.
        moments: when each expression was strongest, as far as pictures are wanted.
    """

    name: str
    is_picture: bool
    frames: int
    sound: str
    error: str
    span_s: tuple[float, float]
    faces: Sequence[FaceReport]
    not_valid: Mapping[str, int]
    moments: Sequence[Moment]

    def drawn(self) -> list[FaceReport]:
        """Return the faces whose course is drawn."""
        return [face for face in self.faces if face.lanes]


def html_report(
    rows: pd.DataFrame, metadata: Mapping[str, Any], moments: Mapping[str, Sequence[Moment]] | None = None
) -> str:
    """Return the report of an analysis: no scripts, nothing loaded from elsewhere, every word escaped.

    Args:
        rows: of a `Table`, with names of faces in a column `name` if there are any.
        metadata: how it was made, as beside the table.
        moments: by name of a video, its strongest moments; their pictures, of people, are in the report then.
    """
    labels = score_columns(rows)
    files = [
        _file_report(file, rows[rows["file"] == file["file"]], labels, (moments or {}).get(file["file"], ()))
        for file in metadata["files"]
    ]
    return _template().render(
        title=files[0].name if len(files) == 1 else f"{len(files):,} pictures and videos",
        files=files,
        about=metadata,
        labels=labels,
        colors=class_colors(tuple(labels)),
        width=WIDTH_PX,
        lane=LANE_PX,
    )


def _file_report(
    file: Mapping[str, Any], rows: pd.DataFrame, labels: Sequence[str], moments: Sequence[Moment]
) -> FileReport:
    rows = merge_faces(rows)
    picture = is_picture(Path(file["file"])) or (len(rows) > 0 and bool(rows["time_s"].isna().all()))
    summaries = summarize(rows, labels)
    names = face_names(rows)
    drawn = [] if picture else [face.face for face in summaries[:_DRAWN_FACES]]
    lanes = {face: _lanes(*course, labels) for face, course in courses(rows, labels, drawn, _POINTS).items()}
    times_s = rows["time_s"].dropna()
    reasons = rows["not_valid_because"].dropna().str.split(", ").explode().value_counts()
    return FileReport(
        name=file["file"],
        is_picture=picture,
        frames=file["frames"],
        sound=file.get("sound", ""),
        error=file.get("error", ""),
        span_s=(float(times_s.min()), float(times_s.max())) if len(times_s) else (0.0, 0.0),
        faces=[_face_report(face, names, labels, lanes.get(face.face, {})) for face in summaries],
        not_valid={str(reason): int(count) for reason, count in reasons.items()},
        moments=() if picture else moments,
    )


def _face_report(
    face: FaceSummary, names: Mapping[int, str], labels: Sequence[str], lanes: Mapping[str, str]
) -> FaceReport:
    best = int((face.mean if face.first_s is None else face.shares).argmax())
    if face.uncertain > face.shares[best]:
        return FaceReport(names[face.face], face, "uncertain", face.uncertain, lanes)
    share = face.mean[best] if face.first_s is None else face.shares[best]
    return FaceReport(names[face.face], face, labels[best], float(share), lanes)


def _lanes(times_s: np.ndarray, probs: np.ndarray, labels: Sequence[str]) -> dict[str, str]:
    """Return each score over time as the points of a polygon, `WIDTH_PX` wide and as high as a lane at 100 %."""
    span_s = max(float(times_s[-1] - times_s[0]), 1e-3)
    x = (times_s - times_s[0]) / span_s * WIDTH_PX
    heights = np.nan_to_num(probs) * LANE_PX * 0.9
    polygons = {}
    for label, height in zip(labels, heights.T, strict=True):
        top = " ".join(f"{a:.1f},{LANE_PX - b:.1f}" for a, b in zip(x, height, strict=True))
        polygons[label] = f"0,{LANE_PX} {top} {WIDTH_PX},{LANE_PX}"
    return polygons


def _template() -> jinja2.Template:
    return template(Path(__file__).with_name(_TEMPLATE), clock=clock)
