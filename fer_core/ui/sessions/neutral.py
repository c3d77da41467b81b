"""A face's neutral baseline chosen after the session: which seconds, what was set, undone, kept for the participant."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from fer_core.errors import FerError
from fer_core.formats import count_text
from fer_core.recognition.baseline import EXPECTED_NEUTRAL, NEUTRAL
from fer_core.sessions.kept_baselines import forget_baseline, keep_baseline, kept_baseline
from fer_core.sessions.later_baselines import LaterBaseline, baselines_of, clear_baseline, set_baseline
from fer_core.sessions.store import Session
from fer_core.ui.components.access import is_operator
from fer_core.ui.components.face_cards import face_name
from fer_core.ui.sessions.rows import forget_rows, later_text, rows_of

_WIDTH_PX = 360
_LENGTH_S = 3.0
_NOTE = (
    "The median of these scores becomes the face's zero, as on the live page; corrected scores then stand beside the "
    "raw ones, here and in what you download. They assume that the face did look neutral and is biased alike whatever "
    "it shows. Recorded rows stay as they are."
)
_NOTE_HELP = (
    f"Neutral becomes at least {EXPECTED_NEUTRAL * 100:.0f} % for the median, the other expressions at most an even "
    "share of the rest; a face that scores as neutral anyway is not changed. Frames in which the face is not valid are "
    "left out."
)


def neutral_popover(session: Session) -> None:
    """Offer to choose the seconds in which a face looks neutral, and to undo that."""
    if NEUTRAL not in session.labels or not session.faces:
        return
    with st.popover("Neutral", icon=":material/sentiment_neutral:", key="later_neutral"), st.container(width=_WIDTH_PX):
        for later in baselines_of(session):
            _undo(session, later)
        _choose(session)
        _kept(session)
        st.caption(_NOTE, help=_NOTE_HELP)


def _undo(session: Session, later: LaterBaseline) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(later_text(later), width="stretch")
        if st.button("Undo", key=f"later_undo_{later.face}", type="tertiary"):
            _change(lambda: clear_baseline(session, later.face))


def _choose(session: Session) -> None:
    rows = rows_of(session).dropna(subset="face")
    faces = sorted(int(face) for face in rows["face"].unique())
    begin_s = float(np.floor(rows["time_s"].min()))
    participant = session.details.participant
    with st.form(f"later neutral {session.name}", border=False):
        face = faces[0]
        if len(faces) > 1:
            face = st.selectbox("Face", faces, key="later_face", format_func=lambda number: face_name(number - 1))
        first, last = st.columns(2)
        first_s = first.number_input("From, s", 0.0, value=begin_s, step=0.5, format="%.1f", key="later_first")
        last_s = last.number_input("To, s", 0.0, value=begin_s + _LENGTH_S, step=0.5, format="%.1f", key="later_last")
        keep = bool(participant) and st.toggle(
            f"Keep for {participant}",
            key="later_keep",
            help="It is then used in this participant's next live sessions with the same model and labels, until you "
            "remove it; and exported and deleted with the participant's data.",
        )
        if st.form_submit_button("Take as neutral"):
            _change(lambda: _set(session, face, float(first_s), float(last_s), keep))


def _set(session: Session, face: int, first_s: float, last_s: float, keep: bool) -> None:
    later = set_baseline(session, face, first_s, last_s)
    if keep:
        details = session.details
        keep_baseline(details.study, details.participant, later.baseline, later.model, session.name, session.database)


def _kept(session: Session) -> None:
    """Say what is kept of the participant, and offer to remove it."""
    study, participant = session.details.study, session.details.participant
    kept = kept_baseline(study, participant, session.database) if participant else None
    if kept is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        frames = count_text(kept.baseline.frames, "frame")
        st.caption(f"Kept for {participant}: {frames} of {kept.baseline.origin}.", width="stretch")
        if is_operator() and st.button("Remove", key="later_forget", type="tertiary"):
            _change(lambda: forget_baseline(study, participant, session.database))


def _change(change: Callable[[], object]) -> None:
    try:
        change()
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    forget_rows()
    st.rerun()
