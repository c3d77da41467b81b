"""A session replayed: its video if it has one, a cursor over the curves, the scores at it, the markers around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.charts.moments import add_moments
from fer_core.charts.timeline import QUIET, clock, expression_course
from fer_core.formats import percent
from fer_core.media.summary import courses
from fer_core.sessions.analysis import in_range, scores_at
from fer_core.sessions.markers import EXCLUDED, Marker, markers_of
from fer_core.sessions.store import Session
from fer_core.ui.components.face_cards import face_name
from fer_core.ui.components.timers import draw_every
from fer_core.ui.sessions.neutral import neutral_popover
from fer_core.ui.sessions.picture import playable_video, replay_video, send_video
from fer_core.ui.sessions.rows import chosen_range, rows_of, with_chosen_scores

_FACES = 3
_POINTS = 600
_HEIGHT_PX = 280
_STEP_S = 1.0  # how often a replay moves on
_SPEEDS = {"1 ×": 1.0, "4 ×": 4.0, "16 ×": 16.0, "60 ×": 60.0}


def over_time(session: Session) -> None:
    """Draw the curves of the faces that were there longest, with a cursor that can be moved or played."""
    rows, found = with_chosen_scores(session, rows_of(session)), markers_of(session)
    video = playable_video(session)
    with st.container(horizontal=True, vertical_alignment="center"):
        begin_s, end_s, speed = _part(session, video is not None)
        neutral_popover(session)
        if found:
            _jump(found, begin_s, end_s, partial(send_video, session) if video else _move_cursor)
    frames, end_s = in_range(rows, begin_s, end_s), max(end_s, begin_s + 0.1)
    rows = frames.dropna(subset="face")
    panels = _panels(rows, session.labels) if len(rows) else None
    if video:
        replay_video(session, video, frames)
    if panels is None:
        st.info("There is no face in this part of the session. Choose another part.", icon=":material/face:")
        return
    if video:
        _chart(session.labels, panels, found, (begin_s, end_s), None)
    else:
        every_s = _STEP_S if speed else None
        draw_every(every_s, _replay, session.labels, rows, panels, found, (begin_s, end_s), speed)
    if (count := rows["face"].nunique()) > _FACES:
        st.caption(f"The {_FACES} faces that were there longest, of {count}.")


def _part(session: Session, has_video: bool) -> tuple[float, float, float]:
    """Ask for a part of the session and how fast it is replayed; a video has a player of its own.

    Returns:
        Where the part begins and ends, seconds, and the speed; 0 stands still.
    """
    if has_video:
        with st.popover("Part", icon=":material/tune:", key="replay_part"):
            return *chosen_range(session), 0.0
    playing = st.toggle("Play", key="replay", on_change=_restart)
    with st.popover("Part and speed", icon=":material/tune:", key="replay_part"):
        begin_s, end_s = chosen_range(session)
        speed = _SPEEDS[st.segmented_control("Speed", list(_SPEEDS), default="1 ×", required=True, key="speed")]
    return begin_s, end_s, speed if playing else 0.0


def _jump(found: list[Marker], begin_s: float, end_s: float, go_to: Callable[[float], None]) -> None:
    inside = {f"{clock(each.time_s)} {each.label}": each.time_s for each in found if begin_s <= each.time_s <= end_s}

    def go() -> None:
        if (choice := st.session_state.get("replay_marker")) in inside:
            go_to(inside[choice])

    st.selectbox(
        "Go to a marker",
        list(inside),
        None,
        key="replay_marker",
        on_change=go,
        width=260,
        placeholder="Go to a marker",
        label_visibility="collapsed",
    )


def _move_cursor(time_s: float) -> None:
    st.session_state["replay_at"] = time_s
    _restart()


def _restart() -> None:
    """Let a replay go on from where the cursor is now."""
    st.session_state["replay_began"] = time.monotonic(), st.session_state.get("replay_at")


def _replay(
    labels: Sequence[str],
    rows: pd.DataFrame,
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]],
    found: Sequence[Marker],
    span_s: tuple[float, float],
    speed: float,
) -> None:
    """Draw the cursor, what the faces showed at it, and the curves; a speed of 0 stands still."""
    begin_s, end_s = span_s
    at_s = float(st.session_state.get("replay_at", begin_s))
    if speed:
        since, from_s = st.session_state.get("replay_began", (time.monotonic(), at_s))
        at_s = (begin_s if from_s is None else from_s) + (time.monotonic() - since) * speed
    st.session_state["replay_at"] = min(max(at_s, begin_s), end_s)
    moment_s = st.slider("Cursor", begin_s, end_s, step=0.1, format="%.1f s", key="replay_at", on_change=_restart)
    st.caption(f"{clock(moment_s)} · {_scores_text(rows, labels, moment_s)}")
    _chart(labels, panels, found, span_s, moment_s)


def _chart(
    labels: Sequence[str],
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]],
    found: Sequence[Marker],
    span_s: tuple[float, float],
    cursor_s: float | None,
) -> None:
    begin_s, end_s = span_s
    figure = expression_course(panels, labels, _HEIGHT_PX)
    marks = [(each.time_s, each.end_s, each.label, each.kind == EXCLUDED) for each in found]
    shown = [mark for mark in marks if mark[0] <= end_s and (mark[0] if mark[1] is None else mark[1]) >= begin_s]
    st.plotly_chart(
        add_moments(figure, shown, cursor_s, len(labels)),
        key="course",
        config=QUIET,
        alt="Scores over time, one lane per expression, with markers and a cursor",
    )


def _panels(rows: pd.DataFrame, labels: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the curves of the faces that were there longest."""
    faces = sorted(int(face) for face in rows["face"].value_counts().index[:_FACES])
    return {face_name(face - 1): course for face, course in courses(rows, labels, faces, _POINTS).items()}


def _scores_text(rows: pd.DataFrame, labels: Sequence[str], moment_s: float) -> str:
    """Say what each face showed at the cursor."""
    scores = scores_at(rows, labels, moment_s)
    parts = [
        f"{face_name(face - 1)}: {labels[values.argmax()]} {percent(float(values.max()), 0)}"
        for face, values in list(scores.items())[:_FACES]
        if values.max() == values.max()
    ]
    return " · ".join(parts) or "no face"
