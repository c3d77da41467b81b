"""The video of a session on its page: replayed with the scores of its moment, waited for, or said to be missing."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import SessionError
from fer_core.media.summary import FaceSummary
from fer_core.sessions.analysis import scores_at
from fer_core.sessions.store import Session
from fer_core.sessions.video_faces import faces_in_video
from fer_core.sessions.videos import RecordedVideo
from fer_core.ui.components.face_cards import face_summaries_html
from fer_core.ui.components.player import PLAYER, GoTo, Overlay, link_player
from fer_core.ui.components.timers import draw_every

_LOOK_EVERY_S = 1.0
_FACES = 2
_PLACE = "video_place"
_MARKED = "video_marked"
_OVERLAY_STEP_S, _OVERLAY_BEFORE_S = 10.0, 2.0


def playable_video(session: Session) -> RecordedVideo | None:
    """Return the video of a session if it can be played; where there is one that cannot, say why."""
    video = session.video()
    if video is None:
        return None
    if not video.fault:
        if video.problem:
            st.caption(video.problem)
        return video
    if video.finished:
        _say_missing(video)
    elif session.ended_utc is None and not session.cut_off():
        st.caption("Its video can be looked at when the recording has ended.")
    elif video.path.exists():
        draw_every(_LOOK_EVERY_S, _wait, session)
    else:
        _say_missing(video)
    return None


def replay_video(session: Session, video: RecordedVideo, rows: pd.DataFrame) -> None:
    """Draw the video, which moves together with the chart `course`, and beside it the scores of the moment it shows.

    Args:
        session: the session.
        video: of the session.
        rows: of the part that is looked at, those without a face among them.
    """
    left, right = st.columns([7, 4], gap="medium")
    with left, st.container(key=PLAYER):
        st.video(str(video.path), format=video.format)
    with right:
        draw_every(None, _scores, session, video, rows)


def send_video(session: Session, time_s: float) -> None:
    """Send the video of a session to a time in it, seconds."""
    before = _place(session)
    st.session_state[_PLACE] = session.name, GoTo(time_s, before.number + 1)


def offer_video(session: Session) -> None:
    """Offer the video of a session, if it has one that can be played."""
    video = session.video()
    if video and not video.fault:
        st.download_button(
            "Video",
            video.path.read_bytes,
            f"{session.name}.mp4",
            video.format,
            icon=":material/videocam:",
            key="session_video",
            help="MP4: what the camera sent, without marks and sound. Times of the table begin "
            f"{video.start_s:.3f} s before its first picture.",
            on_click="ignore",
        )


def _scores(session: Session, video: RecordedVideo, rows: pd.DataFrame) -> None:
    """Draw the scores at the place where the video is, which it tells."""
    place = _place(session)

    def moved(time_s: float) -> None:
        st.session_state[_PLACE] = session.name, GoTo(time_s, place.number)

    faces = [
        FaceSummary(face, 1, None, None, scores, scores, 0.0)
        for face, scores in scores_at(rows, session.labels, place.time_s).items()
    ]
    with st.container(key="video_scores"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(f"At {clock(place.time_s)}", width="content")
            marked = st.toggle(
                "Mark faces",
                key=_MARKED,
                persist_state="session",
                help="Draws each face's box, number and best expression over the video, as the rows have them.",
            )
        if faces:
            st.html(face_summaries_html(faces[:_FACES], session.labels, {}, 1))
        else:
            st.caption("No face.")
    overlay = _overlay(session, video, rows, place.time_s) if marked else None
    link_player(video.start_s, go_to=place, on_time=moved, overlay=overlay)


def _overlay(session: Session, video: RecordedVideo, rows: pd.DataFrame, time_s: float) -> Overlay:
    """Return the faces around a time; the same for some seconds, so that the browser has those that come next."""
    begin_s = _OVERLAY_STEP_S * math.floor(time_s / _OVERLAY_STEP_S) - _OVERLAY_BEFORE_S
    end_s = begin_s + _OVERLAY_BEFORE_S + 2 * _OVERLAY_STEP_S
    return Overlay(begin_s, end_s, faces_in_video(session, video, rows, begin_s, end_s), session.labels)


def _place(session: Session) -> GoTo:
    """Return where the video of a session was last, or was sent."""
    name, place = st.session_state.get(_PLACE, ("", None))
    return place if place and name == session.name else GoTo(0.0, place.number + 1 if place else 0)


def _say_missing(video: RecordedVideo) -> None:
    todo = "Put it back from a copy if there is one; the rest of the session is here." if video.bytes else video.problem
    st.warning(f"The video of this session cannot be shown: {video.fault}. {todo}", icon=":material/videocam_off:")


def _wait(session: Session) -> None:
    """Look again until the video is finished."""
    try:
        video = session.again().video()
    except SessionError:  # it was deleted meanwhile; the page will say so
        video = None
    if video is None or video.finished:
        st.rerun()
    st.caption("Its video is being finished.")
