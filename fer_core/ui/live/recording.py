"""The live page's button that records scores, and how far the recording is."""

from __future__ import annotations

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import FerError
from fer_core.live.session import LiveSession
from fer_core.recognizer import EmotionRecognizer
from fer_core.sessions.details import Details
from fer_core.sessions.recorder import Recorder, Recording
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.studies import Study, find_study, keep_answer
from fer_core.ui.components.access import keep_own_session
from fer_core.ui.components.timers import draw_every
from fer_core.ui.components.widgets import page_link
from fer_core.ui.live.session_details import next_details

_SAVED_WITHIN_S = 2.0  # so long the page waits for the last rows to be written
_ASKED = "consent_asked"
_GOING = "recording_going"
_NOTE = "Times, boxes and scores go into a table on this page's computer; no picture does."


def recording_bar(session: LiveSession, recognizer: EmotionRecognizer, playing: bool) -> None:
    """Offer to record the stream, say how far that is, and where it went."""
    going = playing or bool(session.recorder and not session.recorder.state.ended)
    draw_every(1.0 if going else None, _bar, session, recognizer, playing)


def _bar(session: LiveSession, recognizer: EmotionRecognizer, playing: bool) -> None:
    recorder = session.recorder
    state = recorder.state if recorder else None
    if st.session_state.pop(_GOING, False) and (state is None or state.ended):
        st.rerun()  # it ended by itself: markers and this timer are of no more use
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="live_recording", width="content"):
        if recorder and state and not state.ended:
            st.session_state[_GOING] = True
            if st.button("Stop recording", icon=":material/stop_circle:", key="record_stop"):
                recorder.close(_SAVED_WITHIN_S)
                st.rerun()  # the whole page: markers are offered only while it is recorded
            st.caption(_progress(state), width="content")
        else:
            _offer(session, recognizer, playing)
            if state and state.rows:
                _kept(state)
    if playing and not (state and not state.ended):
        _consent(session, recognizer)
    if state and (state.error or state.problem):
        show = st.error if state.error else st.warning
        show(state.error or state.problem, icon=":material/error:")


def _progress(state: Recording) -> str:
    if state.ends_in_s is None:
        return f"Recording · {clock(state.seconds)} · {state.rows:,} rows"
    return (
        f"{clock(state.seconds)} · {state.rows:,} rows · ends in {state.ends_in_s:.0f} s unless the camera comes back"
    )


def _offer(session: LiveSession, recognizer: EmotionRecognizer, playing: bool) -> None:
    if st.button(
        "Record scores",
        icon=":material/radio_button_checked:",
        key="record_start",
        disabled=not playing,
        help=_NOTE if playing else "Start the camera first.",
    ):
        _ask_or_begin(session, recognizer)


def _kept(state: Recording) -> None:
    if state.error:
        page_link("pages/sessions.py", "See what was kept", ":material/table_view:")
    elif not state.saved:
        st.caption("The last rows are being written.", width="content")
    else:
        st.caption(f"Kept: {clock(state.seconds)}, {state.rows:,} rows.", width="content")
        page_link("pages/sessions.py", "See it", ":material/table_view:")


def _ask_or_begin(session: LiveSession, recognizer: EmotionRecognizer) -> None:
    """Begin at once, or show the study's consent text first."""
    details = next_details()
    if isinstance(details, str):
        st.error(details, icon=":material/error:")
        return
    try:
        study = find_study(details.study)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    if study.consent_text:
        st.session_state[_ASKED] = study, details
    else:
        _begin(session, recognizer, details, None)


def _consent(session: LiveSession, recognizer: EmotionRecognizer) -> None:
    """Show the consent text that is waiting for an answer, if one is; only a yes begins the recording."""
    if (asked := st.session_state.get(_ASKED)) is None:
        return
    study, details = asked
    with st.container(border=True, key="live_consent"):
        st.text(study.consent_text)
        with st.container(horizontal=True):
            agreed = st.button("Agree and record", type="primary", key="consent_yes")
            declined = st.button("Decline", key="consent_no")
    if not (agreed or declined):
        return
    del st.session_state[_ASKED]
    if agreed:
        _begin(session, recognizer, details, study)
        return
    try:
        keep_answer(study, details.participant, False, None)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun()


def _begin(session: LiveSession, recognizer: EmotionRecognizer, details: Details, agreed_to: Study | None) -> None:
    try:
        recorder = Recorder(session.settings.recorded or RecordedSettings(recognizer.card), details)
        keep_own_session(recorder.session.name)
        if agreed_to:
            try:
                keep_answer(agreed_to, details.participant, True, recorder.session)
            except FerError:
                recorder.close()  # nothing is recorded without the answer that allows it
                raise
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    session.recorder = recorder
    st.session_state.pop("marker_last", None)
    st.rerun()
