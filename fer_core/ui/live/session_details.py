"""What a researcher says of the next recording, folded away: study, participant, condition, name, notes, tags."""

from __future__ import annotations

import streamlit as st

from fer_core.live.session import LiveSession
from fer_core.sessions.details import Details
from fer_core.ui.components.session_details import details_fields

_SAID = "next_recording"
_WIDTH_PX = 460


def details_popover(session: LiveSession) -> None:
    """Offer the fields while nothing is recorded; what they say is kept with every recording until it is changed."""
    if session.recorder is None or session.recorder.state.ended:
        st.fragment(_popover)()


def next_details() -> Details | str:
    """Return what was said of the next recording, or why it cannot be kept."""
    return st.session_state.get(_SAID, Details())


def _popover() -> None:
    with (
        st.container(key="live_details", width="content"),
        st.popover("Details", icon=":material/badge:", key="recording_details"),
        st.container(width=_WIDTH_PX),
    ):
        st.session_state[_SAID] = details_fields(Details(), "next", persist=True)
        st.caption("Kept with what is recorded next, and can be changed on the page Sessions.")
