"""What a researcher says of the next recording, folded away: what it is of, and whether it keeps the picture."""

from __future__ import annotations

import streamlit as st

from fer_core.live.session import LiveSession
from fer_core.sessions.details import Details
from fer_core.ui.components.session_details import details_fields

_SAID = "next_recording"
_PICTURE = "keep_picture"
_WIDTH_PX = 460


def details_popover(session: LiveSession, max_video_mb: int = 0) -> None:
    """Offer the fields while nothing is recorded; what they say is kept with every recording until it is changed.

    Args:
        session: of this viewer.
        max_video_mb: how large a video may grow; without any room the picture is not offered.
    """
    if session.recorder is None or session.recorder.state.ended:
        st.fragment(_popover)(max_video_mb)


def next_details() -> Details | str:
    """Return what was said of the next recording, or why it cannot be kept."""
    return st.session_state.get(_SAID, Details())


def picture_wanted() -> bool:
    """Return whether the next recording is to keep the picture too, if that is agreed to."""
    return bool(st.session_state.get(_PICTURE))


def _popover(max_video_mb: int) -> None:
    with (
        st.container(key="live_details", width="content"),
        st.popover("Details", icon=":material/badge:", key="recording_details"),
        st.container(width=_WIDTH_PX),
    ):
        st.session_state[_SAID] = details_fields(Details(), "next", persist=True)
        if max_video_mb:
            st.toggle(
                "Keep the picture too",
                key=_PICTURE,
                persist_state="session",
                help="What the camera sends, without marks and sound, to be looked at beside the curves. Each "
                "recording first asks for consent to it.",
            )
        st.caption("Kept with what is recorded next, and can be changed on the page Sessions.")
