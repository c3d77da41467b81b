"""The markers of a session on its page: changed, deleted, imported from a list, taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.errors import SessionError
from fer_core.formats import count_text
from fer_core.sessions.markers import (
    EXCLUDED,
    MARKER,
    Marker,
    add_markers,
    markers_of,
    read_stimulus_list,
    replace_markers,
)
from fer_core.sessions.store import Session
from fer_core.sessions.studies import markers_csv

_COLUMNS = ("time_s", "end_s", "label", "left_out", "source", "id")


def markers_view(session: Session) -> None:
    """Show the markers as a table that can be changed, and offer to import a list of stimuli."""
    found = markers_of(session)
    recording = session.ended_utc is None and not session.cut_off()
    if recording:
        st.caption("The session is being recorded; its markers can be changed when it has ended.")
        st.dataframe(_table(found).drop(columns="id"), hide_index=True)
        return
    edited = st.data_editor(
        _table(found),
        num_rows="dynamic",
        hide_index=True,
        column_config=_config(),
        column_order=_COLUMNS[:-1],
        # Another table where it was changed elsewhere, or old edits would be put on new rows.
        key=f"markers {session.name} {hash(tuple(found))}",
    )
    with st.container(horizontal=True):
        if st.button("Save markers", icon=":material/save:", key="markers_save"):
            _save(session, edited)
        st.download_button(
            "Markers",
            lambda: markers_csv(session),
            f"{session.name}.markers.csv",
            "text/csv",
            icon=":material/download:",
            key="markers_csv",
            on_click="ignore",
        )
    st.caption("Empty end: a point. Left out: summaries, shares and comparisons leave the range out; rows stay.")
    with st.expander("Import a list of stimuli", icon=":material/upload_file:"):
        _import(session)


def _table(found: list[Marker]) -> pd.DataFrame:
    rows = [(each.time_s, each.end_s, each.label, each.kind == EXCLUDED, each.source, each.id) for each in found]
    kinds = {"time_s": "float64", "end_s": "float64", "label": "str", "left_out": "bool", "source": "str", "id": "str"}
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(kinds)


def _config() -> dict[str, Any]:
    return {
        "time_s": st.column_config.NumberColumn("Time", format="%.3f s", min_value=0.0, required=True),
        "end_s": st.column_config.NumberColumn("End", format="%.3f s", min_value=0.0),
        "label": st.column_config.TextColumn("Name", max_chars=200),
        "left_out": st.column_config.CheckboxColumn("Left out", default=False),
        "source": st.column_config.TextColumn("Made by", disabled=True),
    }


def _save(session: Session, edited: pd.DataFrame) -> None:
    try:
        new = [_marker(row) for row in edited.to_dict("records")]
        replace_markers(session, new)
    except SessionError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.toast(f"{count_text(len(new), 'marker')} saved.")
    st.rerun()


def _marker(row: Mapping[str, Any]) -> Marker:
    """Return a row of the table as a marker; what is new in it gets an id."""
    known = {"id": row["id"]} if isinstance(row.get("id"), str) and row["id"] not in ("", "None", "nan") else {}
    time_s, end_s, label, source = (
        None if pd.isna(row.get(name)) else row[name] for name in _COLUMNS[:3] + ("source",)
    )
    if time_s is None:
        raise SessionError("A marker needs a time. Enter one, or delete its row.")
    kind = EXCLUDED if row.get("left_out") is True else MARKER
    end_s = None if end_s is None else float(end_s)
    return Marker(float(time_s), str(label or ""), end_s, kind, str(source or "page"), **known)


def _import(session: Session) -> None:
    st.caption("A CSV file with the columns time_s, label and, if wanted, end_s, in seconds.")
    file = st.file_uploader("List of stimuli", ["csv", "tsv", "txt"], key="stimuli", max_upload_size=10)
    start_s = st.number_input("Its time 0 is at, seconds into the session", 0.0, step=0.1, key="stimuli_start")
    if st.button("Add to the markers", key="stimuli_add", disabled=file is None) and file is not None:
        try:
            stimuli = read_stimulus_list(file.getvalue(), file.name)
            add_markers(session, [_later(each, float(start_s)) for each in stimuli])
        except SessionError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.toast(f"{count_text(len(stimuli), 'marker')} added.")
        st.rerun()


def _later(marker: Marker, by_s: float) -> Marker:
    end_s = None if marker.end_s is None else marker.end_s + by_s
    return Marker(marker.time_s + by_s, marker.label, end_s, marker.kind, marker.source)
