"""Recorded sessions on a page: choose one, look at its course, take its table away, delete it."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import FerError, SessionError
from fer_core.formats import count_text
from fer_core.media.summary import summarize
from fer_core.models.label_sets import title_of, trained_label_sets
from fer_core.sessions.store import Session, list_sessions
from fer_core.types import corrected_column
from fer_core.ui.components.access import may_see_session, operator_only
from fer_core.ui.components.face_cards import face_name, face_summaries_html
from fer_core.ui.components.face_table import course_of_faces
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.sessions.table import table_of_session


def sessions_view() -> None:
    """Show the sessions of this machine."""
    operator_only("Seeing what others recorded", "sessions_token")
    try:
        sessions = [session for session in list_sessions() if may_see_session(session.name)]
    except FerError as error:
        st.error(str(error), icon=":material/database_off:")
        return
    if not sessions:
        empty_state(
            "No session has been recorded yet",
            "On the Live page, start the camera and press Record scores. "
            "The times, boxes and scores of every face come here as a table; pictures are never kept.",
            260,
        )
        return
    by_name = {session.name: session for session in sessions}
    if st.session_state.get("session") not in by_name:
        st.session_state.pop("session", None)  # it was deleted
    session = by_name[st.selectbox("Session", by_name, key="session", format_func=lambda name: by_name[name].title)]
    try:
        _show(session)
    except SessionError as error:
        st.error(str(error), icon=":material/broken_image:")
    _delete(session)


@st.cache_resource(max_entries=4, show_spinner=False)
def _rows(place: str, session_id: int, rows: int, _session: Session) -> pd.DataFrame:
    """Read a session's rows once for as many reruns as look at them; nobody may change them."""
    return _session.short_rows()


def _show(session: Session) -> None:
    rows = _rows(session.database.place, session.id, session.rows, session)
    metadata, labels = session.metadata(), list(session.labels)
    faces = summarize(rows, labels) if len(rows) else []
    facts = "".join(f"<span>{escape(part)}</span>" for part in _facts(session, metadata))
    st.html(f'<div class="fer-status">{facts}</div>')
    if session.problem:
        st.warning(session.problem, icon=":material/warning:")
    if faces:
        st.html(face_summaries_html(faces, labels, {}, rows["frame"].nunique()))
        course_of_faces(_chosen_scores(rows, labels, metadata), labels, faces)
    table_of_session(session, rows)


def _chosen_scores(rows: pd.DataFrame, labels: list[str], metadata: dict) -> pd.DataFrame:
    """Ask for raw or corrected scores where there are both; return the rows with the chosen ones as scores."""
    corrected = {label: corrected_column(label) for label in labels}
    if not metadata.get("baselines") or not set(corrected.values()) <= set(rows.columns):
        return rows
    choice = st.segmented_control("Scores over time", ["Raw", "Corrected"], default="Raw", required=True, key="scores")
    for baseline in metadata["baselines"]:
        st.caption(_baseline_text(baseline))
    return rows if choice == "Raw" else rows.assign(**{label: rows[name] for label, name in corrected.items()})


def _baseline_text(baseline: dict) -> str:
    """Say from when on a face's scores were corrected, and by which seconds."""
    used = (
        f"{clock(baseline['first_s'])} to {clock(baseline['last_s'])}"
        if baseline["first_s"] >= 0
        else f"{baseline['last_s'] - baseline['first_s']:.1f} s that began before the recording"
    )
    frames = count_text(baseline["frames"], "frame")
    name = face_name(baseline["face"] - 1)
    return f"{name}: corrected for its neutral face from {clock(baseline['from_s'])} on, set by {frames}, {used}."


def _facts(session: Session, metadata: dict) -> list[str]:
    model = metadata.get("model", {"name": "not known"})
    state = "cut off" if session.cut_off() else "still going on"
    return [
        f"{session.began_utc:%d %B %Y, %H:%M:%S} UTC",
        clock(session.length_s),
        count_text(session.faces, "face"),
        count_text(session.frames, "frame"),
        f"model {model['name']}",
        *_label_set_facts(model),
        *([] if session.ended_utc else [state]),
    ]


def _label_set_facts(model: dict) -> list[str]:
    """Say what faces were scored for, if the session was recorded with it."""
    if "label_set" not in model:
        return []
    return [f"scores: {title_of(name)}" for name in trained_label_sets(model["label_set"])]


def _delete(session: Session) -> None:
    with st.popover("Delete", icon=":material/delete:", key="session_delete"):
        if not operator_only("Deleting", "session_delete_token"):
            return
        st.write(f"Delete the session **{session.name}** with its table? It cannot be brought back.")
        if session.imported_from:
            st.caption(f"The folder it was imported from stays: {session.imported_from}. Delete it yourself.")
        if st.button("Delete it", type="primary", key="session_delete_sure"):
            session.delete()
            st.rerun()
