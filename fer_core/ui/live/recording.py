"""The live page's button that records scores, the consent that comes before, and how far the recording is."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import FerError
from fer_core.live.session import LiveSession
from fer_core.recognizer import EmotionRecognizer
from fer_core.sessions.details import Details
from fer_core.sessions.recorder import Recorder, Recording
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.studies import Study, find_study, keep_answer, shown_text
from fer_core.ui.components.access import keep_own_session
from fer_core.ui.components.timers import draw_every
from fer_core.ui.components.widgets import page_link
from fer_core.ui.live.session_details import next_details, picture_wanted

_SAVED_WITHIN_S = 2.0  # so long the page waits for the last rows to be written
_ASKED = "consent_asked"
_GOING = "recording_going"
_NOTE = "Times, boxes and scores go into a table on this page's computer; no picture does, unless Details say so."


@dataclass(frozen=True)
class _Asked:
    """A recording that waits for an answer to its consent text."""

    study: Study
    details: Details
    picture: bool


def recording_bar(session: LiveSession, recognizer: EmotionRecognizer, playing: bool, max_video_mb: int = 0) -> None:
    """Offer to record the stream, say how far that is, and where it went.

    Args:
        session: of this viewer.
        recognizer: the model.
        playing: whether the stream runs.
        max_video_mb: how large a video may grow, in millions of bytes; 0 keeps none.
    """
    going = playing or bool(session.recorder and not session.recorder.state.ended)
    draw_every(1.0 if going else None, _bar, session, recognizer, playing, max_video_mb)


def _bar(session: LiveSession, recognizer: EmotionRecognizer, playing: bool, max_video_mb: int) -> None:
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
            _offer(session, recognizer, playing, max_video_mb)
            if state and state.rows:
                _kept(state)
    if playing and not (state and not state.ended):
        _consent(session, recognizer, max_video_mb)
    if state and (state.error or state.problem):
        show = st.error if state.error else st.warning
        show(state.error or state.problem, icon=":material/error:")
    if state and state.video and state.video.problem:
        st.warning(state.video.problem, icon=":material/videocam_off:")


def _progress(state: Recording) -> str:
    if state.ends_in_s is None:
        return f"Recording · {clock(state.seconds)} · {state.rows:,} rows{_picture_text(state, ' · video')}"
    return (
        f"{clock(state.seconds)} · {state.rows:,} rows · ends in {state.ends_in_s:.0f} s unless the camera comes back"
    )


def _picture_text(state: Recording, text: str) -> str:
    return text if state.video and state.video.frames and not state.video.problem else ""


def _offer(session: LiveSession, recognizer: EmotionRecognizer, playing: bool, max_video_mb: int) -> None:
    if st.button(
        "Record scores",
        icon=":material/radio_button_checked:",
        key="record_start",
        disabled=not playing,
        help=_NOTE if playing else "Start the camera first.",
    ):
        _ask_or_begin(session, recognizer, bool(max_video_mb) and picture_wanted())


def _kept(state: Recording) -> None:
    if state.error:
        page_link("pages/sessions.py", "See what was kept", ":material/table_view:")
    elif not state.saved:
        st.caption("The last rows are being written.", width="content")
    else:
        picture = _picture_text(state, ", with video")
        st.caption(f"Kept: {clock(state.seconds)}, {state.rows:,} rows{picture}.", width="content")
        page_link("pages/sessions.py", "See it", ":material/table_view:")


def _ask_or_begin(session: LiveSession, recognizer: EmotionRecognizer, picture: bool) -> None:
    """Begin at once, or show the consent text first: the study's, and the one for the picture."""
    details = next_details()
    if isinstance(details, str):
        st.error(details, icon=":material/error:")
        return
    try:
        study = find_study(details.study)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    if study.consent_text or picture:
        st.session_state[_ASKED] = _Asked(study, details, picture)
    else:
        _begin(session, recognizer, details)


def _consent(session: LiveSession, recognizer: EmotionRecognizer, max_video_mb: int) -> None:
    """Show the consent text that is waiting for an answer, if one is; only a yes begins the recording."""
    if (asked := st.session_state.get(_ASKED)) is None:
        return
    with st.container(border=True, key="live_consent"):
        st.text(shown_text(asked.study, asked.picture))
        with st.container(horizontal=True):
            to_picture = asked.picture and st.button(
                "Agree, with the picture", type="primary", key="consent_picture", icon=":material/videocam:"
            )
            agreed = (
                st.button("Agree to the scores alone", key="consent_yes")
                if asked.picture
                else st.button("Agree and record", type="primary", key="consent_yes")
            )
            declined = st.button("Decline", key="consent_no")
    if not (to_picture or agreed or declined):
        return
    del st.session_state[_ASKED]
    if not declined:
        _begin(session, recognizer, asked.details, asked, max_video_mb if to_picture else 0)
        return
    try:
        keep_answer(asked.study, asked.details.participant, False, None, picture=False if asked.picture else None)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun()


def _begin(
    session: LiveSession,
    recognizer: EmotionRecognizer,
    details: Details,
    agreed_to: _Asked | None = None,
    max_video_mb: int = 0,
) -> None:
    try:
        recorder = Recorder(session.settings.recorded or RecordedSettings(recognizer.card), details)
        keep_own_session(recorder.session.name)
        if agreed_to:
            try:
                _keep_yes(recorder, agreed_to, max_video_mb)
            except FerError:
                recorder.close()  # nothing is recorded without the answer that allows it
                raise
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    session.recorder = recorder
    st.session_state.pop("marker_last", None)
    st.rerun()


def _keep_yes(recorder: Recorder, asked: _Asked, max_video_mb: int) -> None:
    """Keep the answer that allows a recording, and its picture where there is room for one."""
    picture = max_video_mb > 0 if asked.picture else None
    keep_answer(asked.study, asked.details.participant, True, recorder.session, picture=picture)
    if picture:
        recorder.keep_video(max_video_mb * 1_000_000)
