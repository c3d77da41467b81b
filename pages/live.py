"""Live: expressions from a camera or a clip, or from a photo where there is no camera."""

import streamlit as st

from fer_core.live.governor import SHARED
from fer_core.live.session import LiveSession
from fer_core.ui.components.access import network_help
from fer_core.ui.components.consent import acknowledge_limits
from fer_core.ui.components.entry import leave_live, require_app
from fer_core.ui.components.loaders import require_model
from fer_core.ui.components.model_details import model_details
from fer_core.ui.live.connection_watch import watch_connection
from fer_core.ui.live.controls import live_settings
from fer_core.ui.live.kept_neutral import kept_note
from fer_core.ui.live.markers import marker_bar
from fer_core.ui.live.neutral import neutral_bar
from fer_core.ui.live.other_programs import other_programs
from fer_core.ui.live.panels import cards_room, status_line, timeline
from fer_core.ui.live.photo import photo_view
from fer_core.ui.live.recording import recording_bar
from fer_core.ui.live.session_details import details_popover
from fer_core.ui.live.sources import PHOTO, choose_source
from fer_core.ui.live.stage import stage
from fer_core.ui.live.visibility import page_visible

require_app()
settings, recognizer = require_model(threads=1)
watch_connection()
acknowledge_limits(recognizer.card, "Live expressions")

source = choose_source("Live expressions", settings)
chosen = live_settings(source, recognizer.card)

if source.kind == PHOTO:
    leave_live()
    photo_view(recognizer, chosen)
else:
    # One session per viewer, reached by the video thread through its closure and by nobody else.
    if "live_session" not in st.session_state:
        st.session_state.live_session = LiveSession(recognizer.stream, governor=SHARED)
    session = st.session_state.live_session
    session.use(recognizer.stream, (recognizer.card, chosen.stream.label_set), chosen)
    video, cards = st.columns([7, 4], gap="medium")
    visible = page_visible()
    with cards:
        faces = cards_room()
    with video:
        with st.container(key="stage"):
            playing = stage(session, source, settings)
        status_line(session, playing, visible, faces, source)
        with st.container(horizontal=True, vertical_alignment="center", key="live_actions"):
            recording_bar(session, recognizer, playing, settings.max_video_mb)
            neutral_bar(session, playing)
            details_popover(session, settings.max_video_mb)
        kept_note()
        marker_bar(session)
    st.subheader("The last minute")
    timeline(session, playing, visible)
    other_programs(session, settings, visible)

model_details(recognizer.card)
network_help()
