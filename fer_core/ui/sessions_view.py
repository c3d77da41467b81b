"""Recorded sessions on a page: choose one, look at its course, take its table away, delete it."""

from __future__ import annotations

import json
from datetime import datetime

import pandas as pd
import streamlit as st

from fer_core.charts import QUIET, clock, expression_course
from fer_core.emotions import LABELS
from fer_core.errors import SessionError
from fer_core.live.recorder import Session, list_sessions
from fer_core.media.summary import courses, summarize
from fer_core.ui.face_cards import face_name, face_summaries_html
from fer_core.ui.widgets import empty_state

_SHOWN_FACES = 3
_COURSE_POINTS = 600
_COURSE_HEIGHT_PX = 260
_SHOWN_ROWS = 1000


def sessions_view() -> None:
    """Show the sessions of this machine."""
    sessions = list_sessions()
    if not sessions:
        empty_state("No session has been recorded yet", "On the Live page, start the camera and press Record scores. The "
                    "times, boxes and scores of every face come here as a table; pictures are never kept.", 260)
        return
    names = [session.name for session in sessions]
    if st.session_state.get("session") not in names:
        st.session_state.pop("session", None)  # it was deleted
    name = st.selectbox("Session", names, key="session")
    session = sessions[names.index(name)]
    try:
        _show(session)
    except SessionError as error:
        st.error(str(error), icon=":material/broken_image:")
    _delete(session)


def _show(session: Session) -> None:
    rows, told = session.rows(), session.about()
    labels = [column for column in rows.columns if column in LABELS]
    faces = summarize(rows, labels) if len(rows) else []
    st.html(f'<div class="fer-status">{"".join(f"<span>{part}</span>" for part in _facts(rows, told, len(faces)))}</div>')
    if faces:
        st.html(face_summaries_html(faces, labels, {}, rows["frame"].nunique()))
        st.subheader("Over time")
        shown = sorted(each.face for each in faces[:_SHOWN_FACES])
        panels = {face_name(face - 1): course for face, course in courses(rows, labels, shown, _COURSE_POINTS).items()}
        st.plotly_chart(expression_course(panels, labels, _COURSE_HEIGHT_PX), key="session_course", config=QUIET,
                        alt="Scores over the session, one lane per expression")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.subheader("The table", width="content")
        with st.container(horizontal=True, width="content"):
            st.download_button("Table", session.table_file.read_bytes(), f"{session.name}.csv", "text/csv",
                               icon=":material/download:", key="session_csv", on_click="ignore",
                               help="CSV: a row for each face of each frame, and for each frame without one; with the "
                                    "time of day, UTC.")
            st.download_button("How it was made", json.dumps(told, indent=2), f"{session.name}.about.json",
                               "application/json", icon=":material/download:", key="session_about", on_click="ignore",
                               help="JSON: the model, its file's hash, the settings, begin and end.")
    st.dataframe(rows.head(_SHOWN_ROWS), hide_index=True, height=320)
    more = f", the first {_SHOWN_ROWS:,} shown" if len(rows) > _SHOWN_ROWS else ""
    st.caption(f"{len(rows):,} rows{more}. Kept in {session.path} until you delete it.")


def _facts(rows: pd.DataFrame, told: dict, faces: int) -> list[str]:
    began = datetime.fromisoformat(told["began_utc"])
    length_s = float(rows["time_s"].max()) if len(rows) else 0.0
    return [f"{began:%d %B %Y, %H:%M:%S} UTC", clock(length_s), f"{faces} face" if faces == 1 else f"{faces} faces",
            f"{rows['frame'].nunique() if len(rows) else 0:,} frames", f"model {told['model']['name']}",
            *([] if "ended_utc" in told else ["still going on, or cut off"])]


def _delete(session: Session) -> None:
    with st.popover("Delete", icon=":material/delete:", key="session_delete"):
        st.write(f"Delete the session **{session.name}** with its table? It cannot be brought back.")
        if st.button("Delete it", type="primary", key="session_delete_sure"):
            session.delete()
            st.rerun()
