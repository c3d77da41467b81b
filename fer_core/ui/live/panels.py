"""The parts of the live page that follow the stream: status line, face cards, timeline.

Fragments read a snapshot on their own timers, so that the video and the rest of the page are left alone. Each run of a
fragment costs the server a thread and a round of messages, so the status line and the cards share one, and none runs
while the tab is in the background. Every part keeps its height whatever it shows.
"""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.emotions import LABELS
from fer_core.live.session import LiveSession, LiveSnapshot
from fer_core.live.telemetry import HISTORY_S
from fer_core.live.timeline import face_series
from fer_core.models.label_sets import title_of
from fer_core.ui.components.face_cards import face_cards_html, face_name
from fer_core.ui.components.timers import draw_every
from fer_core.ui.components.widgets import empty_state, empty_state_html
from fer_core.ui.live.sources import LiveSource, feed_parts
from fer_core.ui.live.timeline import lanes

_EVERY_S = 0.5
_TIMELINE_FACES = 3
_TIMELINE_EVERY_S = 2.0


def cards_room() -> DeltaGenerator:
    """Keep room for the faces' cards here; `status_line` fills it."""
    return st.container(key="live_cards").empty()


def status_line(session: LiveSession, playing: bool, visible: bool, cards: DeltaGenerator, source: LiveSource) -> None:
    """Show whether the stream runs, how fast, and what went wrong if anything did; and the faces of the last frame.

    Args:
        session: of this viewer.
        playing: whether its stream runs.
        visible: whether anybody can see the page.
        cards: what `cards_room` gave.
        source: of the pictures.
    """
    draw_every(_EVERY_S if playing and visible else None, _status, session, playing, cards, source)


def timeline(session: LiveSession, playing: bool, visible: bool) -> None:
    """Show the scores of the last minute."""
    draw_every(_TIMELINE_EVERY_S if playing and visible else None, _timeline, session, playing)


def _status(session: LiveSession, playing: bool, cards: DeltaGenerator, source: LiveSource) -> None:
    if playing and source.feed and source.feed.ended:
        st.rerun()  # the whole page: the stream is stopped, and the page says so
    snapshot = session.snapshot()
    with st.container(key="live_status"):
        st.html(
            _status_html(_status_parts(snapshot, playing, source, bool(session.sending.outputs)), snapshot, playing)
        )
    cards.html(_cards_html(session, snapshot, playing, source))
    if playing and source.feed and source.feed.problem:
        stale = "What is shown is not live. " if snapshot.result else ""
        st.warning(stale + source.feed.problem, icon=":material/videocam_off:")
    if playing and snapshot.error:
        st.error(
            f"The last frames could not be analysed; the video goes on without it. {snapshot.error}",
            icon=":material/error:",
        )


def _status_html(parts: list[str], snapshot: LiveSnapshot, playing: bool) -> str:
    beat = f' data-beat="{snapshot.time_s:.3f}"' if playing else ""  # connection_watch.js waits for the next
    spans = "".join(f"<span>{part}</span>" for part in parts)
    return f'<div class="fer-status"{beat}>{spans}</div>'


def _status_parts(snapshot: LiveSnapshot, playing: bool, source: LiveSource, sending: bool) -> list[str]:
    if not playing:
        return ["not connected"]
    if not snapshot.live or snapshot.rates.camera_fps == 0:
        return ["connected", "waiting for the camera's frames"]
    rates = snapshot.rates
    faces = 0 if snapshot.result is None else len(snapshot.result)
    parts = [
        "connected",
        f"{rates.camera_fps:.0f} camera fps",
        f"{rates.analysed_fps:.0f} analysed",
        f"{rates.frame_ms:.0f} ms",
        f"{faces} face" if faces == 1 else f"{faces} faces",
        *feed_parts(source),
        *(["sending scores"] if sending else []),
    ]
    return [*parts, "the server is busy and analyses fewer frames of everybody"] if snapshot.limited else parts


def _cards_html(session: LiveSession, snapshot: LiveSnapshot, playing: bool, source: LiveSource) -> str:
    if not playing or snapshot.result is None:
        todo = "The first frames are on their way." if playing else source.start_words
        return empty_state_html(
            "Faces appear here", f"{todo} Each face gets a card with its expression and all scores."
        )
    if len(snapshot.result) == 0:
        return empty_state_html(
            "No face in the picture",
            "Look towards the camera, in even light. A face must be at least as large as the size set on the left.",
        )
    settings = session.settings
    second = title_of(settings.stream.second_label_set or "")
    return face_cards_html(snapshot.result, snapshot.image_bgr, settings.draw.threshold, second)


def _timeline(session: LiveSession, playing: bool) -> None:
    snapshot = session.snapshot()
    labels = snapshot.result.prediction.labels if snapshot.result else LABELS
    series = face_series(snapshot.history, snapshot.time_s, len(labels), _TIMELINE_FACES) if playing else {}
    with st.container(key="live_timeline"):
        if not series:
            empty_state("The last minute appears here", "One lane per expression, taller where its score was higher.")
            return
        lanes({face_name(track): arrays for track, arrays in series.items()}, labels, HISTORY_S)
