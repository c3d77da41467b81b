"""The live page's button that records scores, and how far the recording is."""

from __future__ import annotations

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import SessionError
from fer_core.live.recorder import Recorder
from fer_core.live.session import LiveSession
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.access import keep_own_session
from fer_core.ui.components.timers import draw_every
from fer_core.ui.components.widgets import page_link

_NOTE = "Times, boxes and scores go into a table on this page's computer; no picture does."


def recording_bar(session: LiveSession, recognizer: EmotionRecognizer, playing: bool) -> None:
    """Offer to record the stream, say how far that is, and where it went."""
    draw_every(1.0 if playing else None, _bar, session, recognizer, playing)


def _bar(session: LiveSession, recognizer: EmotionRecognizer, playing: bool) -> None:
    recorder = session.recorder
    state = recorder.state if recorder else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="live_recording", width="content"):
        if recorder and state and not state.ended:
            if st.button("Stop recording", icon=":material/stop_circle:", key="record_stop"):
                recorder.close()
                st.rerun(scope="fragment")
            st.caption(f"Recording · {clock(state.seconds)} · {state.rows:,} rows", width="content")
            return
        if st.button(
            "Record scores",
            icon=":material/radio_button_checked:",
            key="record_start",
            disabled=not playing,
            help=_NOTE if playing else "Start the camera first.",
        ):
            _begin(session, recognizer)
        if state and state.error:
            st.error(state.error, icon=":material/error:")
        elif state and state.rows:
            st.caption(f"Kept: {clock(state.seconds)}, {state.rows:,} rows.", width="content")
            page_link("pages/sessions.py", "See it", ":material/table_view:")


def _begin(session: LiveSession, recognizer: EmotionRecognizer) -> None:
    stream = session.settings.stream
    try:
        session.recorder = Recorder(
            recognizer.card,
            recognizer.labels,
            label_set=stream.label_set,
            smoothing_s=stream.smoothing_s,
            min_face_px=stream.min_face_px,
            mirrored=session.settings.mirror,
        )
    except SessionError as error:
        st.error(str(error), icon=":material/error:")
        return
    keep_own_session(session.recorder.session.name)
    st.rerun(scope="fragment")
