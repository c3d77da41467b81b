"""The parts of the live page that follow the stream: status line, face cards, timeline.

Each is a fragment that reads a snapshot on its own timer, so that the video and the rest of the
page are left alone. Every part keeps its height whatever it shows.
"""

from __future__ import annotations

import streamlit as st

from fer_core.charts.timeline import QUIET, expression_lanes
from fer_core.emotions import LABELS
from fer_core.live.session import LiveSession, LiveSnapshot
from fer_core.live.telemetry import HISTORY_S
from fer_core.live.timeline import face_series
from fer_core.models.label_sets import title_of
from fer_core.ui.components.face_cards import face_cards_html, face_name
from fer_core.ui.components.timers import draw_every
from fer_core.ui.components.widgets import empty_state

# The room that style.css keeps for it: 15.5rem.
_TIMELINE_HEIGHT_PX = 230
_TIMELINE_FACES = 3
_TIMELINE_EVERY_S = 2.0  # to draw it costs as much as all other panels in a second


def status_line(session: LiveSession, playing: bool) -> None:
    """Show whether the stream runs and how fast, and what went wrong if anything did."""
    draw_every(0.5 if playing else None, _status, session, playing)


def face_cards(session: LiveSession, playing: bool) -> None:
    """Show a card for each face of the last analysed frame."""
    draw_every(0.5 if playing else None, _cards, session, playing)


def timeline(session: LiveSession, playing: bool) -> None:
    """Show the scores of the last minute."""
    draw_every(_TIMELINE_EVERY_S if playing else None, _timeline, session, playing)


def _status(session: LiveSession, playing: bool) -> None:
    snapshot = session.snapshot()
    parts = "".join(f"<span>{part}</span>" for part in _status_parts(snapshot, playing))
    beat = f' data-beat="{snapshot.time_s:.3f}"' if playing else ""  # connection_watch.js waits for the next
    with st.container(key="live_status"):
        st.html(f'<div class="fer-status"{beat}>{parts}</div>')
    if playing and snapshot.error:
        st.error(
            f"The last frames could not be analysed; the video goes on without it. {snapshot.error}",
            icon=":material/error:",
        )


def _status_parts(snapshot: LiveSnapshot, playing: bool) -> list[str]:
    if not playing:
        return ["not connected"]
    if not snapshot.live or snapshot.rates.camera_fps == 0:
        return ["connected", "waiting for the camera's frames"]
    rates = snapshot.rates
    faces = 0 if snapshot.result is None else len(snapshot.result)
    return [
        "connected",
        f"{rates.camera_fps:.0f} camera fps",
        f"{rates.analysed_fps:.0f} analysed",
        f"{rates.frame_ms:.0f} ms",
        f"{faces} face" if faces == 1 else f"{faces} faces",
    ]


def _cards(session: LiveSession, playing: bool) -> None:
    snapshot = session.snapshot()
    with st.container(key="live_cards"):
        if not playing or snapshot.result is None:
            todo = "The first frames are on their way." if playing else "Press Start camera."
            empty_state("Faces appear here", f"{todo} Each face gets a card with its expression and all scores.")
        elif len(snapshot.result) == 0:
            empty_state(
                "No face in the picture",
                "Look towards the camera, in even light. A face must be at least as large as the size set on the left.",
            )
        else:
            settings = session.settings
            second = title_of(settings.stream.second_label_set or "")
            st.html(face_cards_html(snapshot.result, snapshot.image_bgr, settings.draw.threshold, second))


def _timeline(session: LiveSession, playing: bool) -> None:
    snapshot = session.snapshot()
    labels = snapshot.result.prediction.labels if snapshot.result else LABELS
    series = face_series(snapshot.history, snapshot.time_s, len(labels), _TIMELINE_FACES) if playing else {}
    with st.container(key="live_timeline"):
        if not series:
            empty_state("The last minute appears here", "One lane per expression, taller where its score was higher.")
            return
        panels = {face_name(track): arrays for track, arrays in series.items()}
        st.plotly_chart(
            expression_lanes(panels, labels, HISTORY_S, _TIMELINE_HEIGHT_PX),
            key="timeline",
            config=QUIET,
            alt="Scores of the last minute, one lane per expression",
        )
