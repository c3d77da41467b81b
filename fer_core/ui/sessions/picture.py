"""The video of a session on its page: shown beside the cursor, waited for, or said to be missing."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import SessionError
from fer_core.sessions.store import Session
from fer_core.sessions.videos import RecordedVideo
from fer_core.ui.components.timers import draw_every

_LOOK_EVERY_S = 1.0


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
        st.warning(f"The video of this session cannot be shown: {video.fault}.", icon=":material/videocam_off:")
        if video.problem:
            st.caption(video.problem)
    elif session.ended_utc is None and not session.cut_off():
        st.caption("Its video can be looked at when the recording has ended.")
    elif video.path.exists():
        draw_every(_LOOK_EVERY_S, _wait, session)
    else:
        st.warning(f"The video of this session cannot be shown: {video.fault}.", icon=":material/videocam_off:")
    return None


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


def _wait(session: Session) -> None:
    """Look again until the video is finished."""
    try:
        video = session.again().video()
    except SessionError:  # it was deleted meanwhile; the page will say so
        video = None
    if video is None or video.finished:
        st.rerun()
    st.caption("Its video is being finished.")
