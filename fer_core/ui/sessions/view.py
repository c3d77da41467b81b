"""Recorded sessions on a page: choose one, look into it, compare conditions, look after studies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import FerError, SessionError
from fer_core.formats import count_text
from fer_core.models.label_sets import title_of, trained_label_sets
from fer_core.sessions.store import Session, import_problems, list_sessions
from fer_core.ui.components.access import is_operator, may_see_session, operator_only
from fer_core.ui.components.face_cards import face_summaries_html
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.sessions.agreement import agreement_view
from fer_core.ui.sessions.conditions import conditions_view
from fer_core.ui.sessions.details import details_view
from fer_core.ui.sessions.filters import filtered
from fer_core.ui.sessions.markers import markers_view
from fer_core.ui.sessions.over_time import over_time
from fer_core.ui.sessions.rows import forget_rows, summary_of
from fer_core.ui.sessions.shares import shares_view
from fer_core.ui.sessions.studies import studies_view
from fer_core.ui.sessions.table import table_of_session

_TABS: dict[str, Callable[[Session], None]] = {
    "Over time": over_time,
    "Shares": shares_view,
    "Markers": markers_view,
    "Agreement": agreement_view,
    "Table": table_of_session,
    "Details": details_view,
}
_VIEWS = ("Sessions", "Conditions", "Studies")


def sessions_view() -> None:
    """Show the sessions of this machine, as far as this viewer may see them."""
    operator_only("Seeing what others recorded", "sessions_token")
    try:
        with st.spinner("Opening the sessions; those of an earlier version take a while the first time."):
            sessions = [session for session in list_sessions() if may_see_session(session.name)]
        for problem in import_problems() if is_operator() else ():
            st.warning(problem, icon=":material/warning:")
        _show_all(sessions)
    except FerError as error:
        st.error(str(error), icon=":material/database_off:")


def _show_all(sessions: Sequence[Session]) -> None:
    view = st.segmented_control(
        "View", _VIEWS, default=_VIEWS[0], required=True, key="sessions_view", label_visibility="collapsed"
    )
    if view == "Studies":
        studies_view(sessions)
    elif not sessions:
        empty_state(
            "No session has been recorded yet",
            "On the Live page, start the camera and press Record scores. "
            "The times, boxes and scores of every face come here as a table; the picture only if you ask for it.",
            260,
        )
    elif view == "Conditions":
        conditions_view(sessions)
    else:
        _show_one_of(filtered(sessions))


def _show_one_of(sessions: Sequence[Session]) -> None:
    if not sessions:
        st.caption("No session fits the search.")
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


def _show(session: Session) -> None:
    facts = "".join(f"<span>{escape(part)}</span>" for part in _facts(session))
    st.html(f'<div class="fer-status">{facts}</div>')
    if session.problem:
        st.warning(session.problem, icon=":material/warning:")
    faces, frames = summary_of(session)
    if faces:
        st.html(face_summaries_html(faces, session.labels, {}, frames))
    tabs = st.tabs(list(_TABS), key="session_tab", on_change="rerun")
    for tab, show in zip(tabs, _TABS.values(), strict=True):
        if tab.open:  # the others cost nothing
            with tab:
                show(session)


def _facts(session: Session) -> list[str]:
    model = session.about.get("model", {"name": "not known"})
    details = session.details
    state = "cut off" if session.cut_off() else "still going on"
    return [
        f"{session.began_utc:%d %B %Y, %H:%M:%S} UTC",
        clock(session.length_s),
        count_text(session.faces, "face"),
        count_text(session.frames, "frame"),
        f"model {model['name']}",
        *_label_set_facts(model),
        *filter(None, (details.study, details.participant, details.condition, ", ".join(details.tags))),
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
        what = "its table and its video" if session.video() else "its table"
        st.write(f"Delete the session **{session.name}** with {what}? It cannot be brought back.")
        if session.imported_from:
            st.caption(f"The folder it was imported from stays: {session.imported_from}. Delete it yourself.")
        if st.button("Delete it", type="primary", key="session_delete_sure"):
            session.delete()
            forget_rows()
            st.rerun()
