"""The video's room on the live page: the stream, its place among others, how it starts, what a feed needs."""

from __future__ import annotations

import time

from fer_core.live.session import LiveSession
from fer_core.live.turn import with_credentials
from fer_core.settings import Settings
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.live.connection_steps import connection_steps
from fer_core.ui.live.seating import may_stream, seats_of
from fer_core.ui.live.sources import LiveSource, feed_buttons, is_wanted
from fer_core.ui.live.webrtc import live_video


def stage(session: LiveSession, source: LiveSource, settings: Settings) -> bool:
    """Draw the stream of a viewer; return whether it plays."""
    if source.needs_clip:
        empty_state("The clip plays here", "Choose one above. It goes the same way as the pictures of a camera.")
        return False
    seats = seats_of(settings)
    if not may_stream(session, seats):
        return False
    ice_servers = with_credentials(settings.ice_servers, settings.turn_secret, session.id, time.time())
    playing = live_video(session, ice_servers, seats, source.feed, is_wanted(source))
    feed_buttons(source)
    connection_steps(playing, ice_servers, source.feed is None, is_wanted(source))
    return playing
