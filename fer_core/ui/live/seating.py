"""A place for each stream, as many as the server can serve; whoever comes later is told how many are before them."""

from __future__ import annotations

import streamlit as st

from fer_core.live.governor import available_cores
from fer_core.live.seats import Seats
from fer_core.live.session import LiveSession
from fer_core.settings import Settings
from fer_core.ui.components.timers import draw_every

# A stream of one face takes a fifth of a core.
_VIEWERS_A_CORE = 5
_ASK_S = 3.0


@st.cache_resource
def _seats(limit: int) -> Seats:
    return Seats(limit)


def seats_of(settings: Settings) -> Seats:
    """Return the places of this server."""
    return _seats(settings.max_viewers or _VIEWERS_A_CORE * available_cores())


def may_stream(session: LiveSession, seats: Seats) -> bool:
    """Return whether there is a place for a viewer; where there is none, say so until there is."""
    if seats.ahead(session.id) is None:
        return True
    draw_every(_ASK_S, _wait, session, seats)
    return False


def _wait(session: LiveSession, seats: Seats) -> None:
    ahead = seats.ahead(session.id)
    if ahead is None:
        st.rerun(scope="app")
    with st.container(key="live_waiting"):
        st.html(
            f'<div class="fer-empty" role="status"><strong>All places are taken</strong><p>{_words(ahead)}</p></div>'
        )


def _words(ahead: int) -> str:
    place = {0: "You are next", 1: "1 person is before you"}.get(ahead, f"{ahead} people are before you")
    return f"{place}. The camera can be started here as soon as somebody leaves; keep this page open."
