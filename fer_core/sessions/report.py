"""The report of a session: one page that loads nothing, to read, print and keep.

The page's words and layout are in `report.html.j2` beside this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from fer_core.charts.timeline import clock
from fer_core.emotions import class_colors
from fer_core.html_pages import template
from fer_core.media.summary import courses, summarize
from fer_core.models.label_sets import title_of, trained_label_sets
from fer_core.recognition.provenance import PROGRAM
from fer_core.sessions.agreement import Agreement, agreement_of, by_coder, coder_codes, model_codes
from fer_core.sessions.analysis import Shares, shares_of, transitions
from fer_core.sessions.markers import CODE, EXCLUDED, Marker, excluded_ranges, markers_of, without_ranges
from fer_core.sessions.rows import iso_text, ms_of
from fer_core.sessions.store import Session
from fer_core.sessions.studies import Consent, answer_text, consents_of
from fer_core.sessions.videos import RecordedVideo

_FACES = 3
_POINTS = 400
_WIDTH, _LANE, _LEFT, _FOOT = 900, 26, 90, 24
_TICKS = 6


@dataclass(frozen=True, eq=False)
class FaceReport:
    """One face: its number, frames, shares and the drawing of its course."""

    face: int
    frames: int
    shares: Shares
    course: Markup


@dataclass(frozen=True, eq=False)
class SessionReport:
    """Everything that a report says; summaries leave excluded ranges out.

    Attributes:
        session: what it is of.
        created: when it was made, as text in UTC.
        shares: of all faces.
        transitions: int (k, k), rows are what was before.
        faces: those that were there longest.
        markers: markers and excluded ranges.
        agreements: of each human coder with the model, by the coder.
        events: what changed while it was recorded.
        models: what scored it, as plain JSON values.
        consents: answers that it was recorded with.
        video: what was kept of the camera's picture, which is not in the report; None if nothing was.
    """

    session: Session
    created: str
    shares: Shares
    transitions: np.ndarray
    faces: tuple[FaceReport, ...]
    markers: tuple[Marker, ...]
    agreements: dict[str, Agreement]
    events: tuple[dict[str, Any], ...]
    models: tuple[dict[str, Any], ...]
    consents: tuple[Consent, ...]
    video: RecordedVideo | None = None


def build_report(session: Session, created: datetime | None = None) -> SessionReport:
    """Gather everything that a report says.

    Args:
        session: to report on.
        created: when, with a time zone; now if None.
    """
    found, all_rows = markers_of(session), session.short_rows()
    rows = without_ranges(all_rows, excluded_ranges(found))
    return SessionReport(
        session=session,
        created=iso_text(ms_of(created or datetime.now(UTC)))[:19].replace("T", " "),
        shares=shares_of(rows, session.labels),
        transitions=transitions(rows, session.labels),
        faces=_faces(rows, all_rows, session.labels, found),
        markers=tuple(found),
        agreements=_agreements(session, rows),
        events=tuple(event for event in session.events() if event["kind"] != "baseline"),
        models=tuple(session.models()),
        consents=tuple(consents_of(session)),
        video=session.video(),
    )


def html_report(report: SessionReport) -> str:
    """Return a report as a page: no scripts, nothing loaded from elsewhere, every word escaped."""
    return _template().render(report=report, session=report.session, program=PROGRAM)


def course_svg(
    times_s: np.ndarray, probs: np.ndarray, labels: Sequence[str], markers: Sequence[Marker], title: str
) -> Markup:
    """Draw scores over time, one lane per expression, with markers.

    Args:
        times_s: (t,), rising.
        probs: (t, k), 0 to 1; a row of NaN where the face was not there.
        labels: the k names, from top to bottom.
        markers: points as lines, ranges as bands.
        title: what it shows, for those who cannot see it.
    """
    begin_s, end_s = float(times_s[0]), max(float(times_s[-1]), float(times_s[0]) + 0.1)

    def x(time_s: float) -> float:
        return round(
            _LEFT + (min(max(time_s, begin_s), end_s) - begin_s) / (end_s - begin_s) * (_WIDTH - _LEFT - 10), 1
        )

    height = _LANE * len(labels)
    colors = class_colors(tuple(labels))
    lanes = [
        _lane(label, colors[label], (number + 1) * _LANE, [x(t) for t in times_s], probs[:, number])
        for number, label in enumerate(labels)
    ]
    anchors = ["start", *["middle"] * (_TICKS - 2), "end"]
    ticks = [
        f'<text x="{x(t)}" y="{height + 18}" text-anchor="{anchor}">{clock(t)}</text>'
        for t, anchor in zip(np.linspace(begin_s, end_s, _TICKS), anchors, strict=True)
    ]
    shown = [each for each in markers if begin_s <= each.time_s <= end_s]
    marks = [
        _mark(each, x(each.time_s), x(each.time_s if each.end_s is None else each.end_s), height) for each in shown
    ]
    body = "".join([*lanes, *marks, *ticks])
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {height + _FOOT}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{body}</svg>'
    )


def _lane(label: str, color: str, base: int, xs: Sequence[float], prob: np.ndarray) -> str:
    heights = base - np.nan_to_num(prob) * (_LANE - 4)
    points = " ".join(f"{x},{y:.1f}" for x, y in zip(xs, heights, strict=True))
    return (
        f'<text x="{_LEFT - 8}" y="{base - 6}" text-anchor="end">{escape(label)}</text>'
        f'<polygon fill="{color}" points="{xs[0]},{base} {points} {xs[-1]},{base}"/>'
        f'<line class="base" x1="{_LEFT}" y1="{base}" x2="{_WIDTH - 10}" y2="{base}"/>'
    )


def _mark(marker: Marker, begin: float, end: float, height: int) -> str:
    name = f"<title>{escape(marker.label or 'no name')}</title>"
    if marker.end_s is None:
        return f'<line class="mark" x1="{begin}" y1="0" x2="{begin}" y2="{height}">{name}</line>'
    kind = "excluded" if marker.kind == EXCLUDED else "range"
    return f'<rect class="{kind}" x="{begin}" y="0" width="{max(end - begin, 1):.1f}" height="{height}">{name}</rect>'


def _faces(
    rows: pd.DataFrame, all_rows: pd.DataFrame, labels: Sequence[str], markers: Sequence[Marker]
) -> tuple[FaceReport, ...]:
    longest = summarize(rows, labels)[:_FACES]
    drawn = courses(all_rows, labels, [each.face for each in longest], _POINTS) if longest else {}
    return tuple(
        FaceReport(
            each.face,
            each.frames,
            shares_of(rows[(rows["face"] == each.face).fillna(False)], labels),
            course_svg(*drawn[each.face], labels, markers, f"Scores of face {each.face} over time"),
        )
        for each in longest
    )


def _agreements(session: Session, rows: pd.DataFrame) -> dict[str, Agreement]:
    coders = by_coder(markers_of(session, CODE))
    if not coders:
        return {}
    times_s = np.unique(rows["time_s"].to_numpy(np.float64))
    model = model_codes(rows, None, sure_only=True).reindex(times_s)
    return {coder: agreement_of(coder_codes(codes, times_s), model) for coder, codes in coders.items()}


def _template() -> jinja2.Template:
    return template(
        Path(__file__).with_name("report.html.j2"),
        answer_text=answer_text,
        clock=clock,
        plain=lambda value: {True: "yes", False: "no"}[value] if isinstance(value, bool) else value,
        label_sets=lambda name: "; ".join(map(title_of, trained_label_sets(name))),
    )
