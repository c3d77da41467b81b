"""Recorded sessions on a page: choose one, look at its course, take its table away, delete it."""

from __future__ import annotations

from datetime import datetime
from html import escape

import pandas as pd
import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import SessionError
from fer_core.formats import count_text
from fer_core.live.recorder import Session, list_sessions
from fer_core.media.summary import summarize
from fer_core.models.label_sets import title_of, trained_label_sets
from fer_core.recognition.table import score_columns
from fer_core.types import corrected_column
from fer_core.ui.components.access import may_see_session, operator_only
from fer_core.ui.components.face_cards import face_name, face_summaries_html
from fer_core.ui.components.face_table import (
    course_of_faces,
    table_of_faces,
)
from fer_core.ui.components.widgets import empty_state


def sessions_view() -> None:
    """Show the sessions of this machine."""
    operator_only("Seeing what others recorded", "sessions_token")
    sessions = [session for session in list_sessions() if may_see_session(session.name)]
    if not sessions:
        empty_state(
            "No session has been recorded yet",
            "On the Live page, start the camera and press Record scores. "
            "The times, boxes and scores of every face come here as a table; pictures are never kept.",
            260,
        )
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
    rows, metadata = session.rows(), session.metadata()
    labels = score_columns(rows)
    faces = summarize(rows, labels) if len(rows) else []
    facts = "".join(f"<span>{escape(part)}</span>" for part in _facts(rows, metadata, len(faces)))
    st.html(f'<div class="fer-status">{facts}</div>')
    if faces:
        st.html(face_summaries_html(faces, labels, {}, rows["frame"].nunique()))
        course_of_faces(_chosen_scores(rows, labels, metadata), labels, faces)
    table_of_faces(session.table(), rows, metadata, session.name, f"Kept in {session.path} until you delete it.")


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


def _facts(rows: pd.DataFrame, metadata: dict, faces: int) -> list[str]:
    began = datetime.fromisoformat(metadata["began_utc"])
    length_s = float(rows["time_s"].max()) if len(rows) else 0.0
    return [
        f"{began:%d %B %Y, %H:%M:%S} UTC",
        clock(length_s),
        count_text(faces, "face"),
        count_text(rows["frame"].nunique() if len(rows) else 0, "frame"),
        f"model {metadata['model']['name']}",
        *_label_set_facts(metadata["model"]),
        *([] if "ended_utc" in metadata else ["still going on, or cut off"]),
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
        if st.button("Delete it", type="primary", key="session_delete_sure"):
            session.delete()
            st.rerun()
