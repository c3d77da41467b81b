"""The rows of a session on its page, and the ways to take them away."""

from __future__ import annotations

import json
from functools import partial
from importlib.util import find_spec

import pandas as pd
import streamlit as st

from fer_core.formats import count_text
from fer_core.media.table_formats import table_bytes
from fer_core.sessions.agreement import boris_csv
from fer_core.sessions.report import build_report, html_report
from fer_core.sessions.store import Session
from fer_core.sessions.studies import find_study
from fer_core.ui.components.face_table import not_valid_text
from fer_core.ui.sessions.picture import offer_video
from fer_core.ui.sessions.rows import rows_of

_SHOWN_ROWS = 1000


def table_of_session(session: Session) -> None:
    """Show the first rows of a session and offer all of them, made when they are asked for."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _tables(session)
        _documents(session)
        offer_video(session)
    st.dataframe(_readable(session.first_rows(_SHOWN_ROWS)), hide_index=True, height=320)
    more = f", the first {_SHOWN_ROWS:,} shown" if session.rows > _SHOWN_ROWS else ""
    days = find_study(session.details.study, session.database).retention_days
    until = f"for {count_text(days, 'day')}" if days else "until you delete it"
    kept = f"Kept in {session.database.place} {until}."
    st.caption(f"{count_text(session.rows, 'row')}{more}. {not_valid_text(rows_of(session))}{kept}")


def _tables(session: Session) -> None:
    """Offer the rows, in every format."""
    unsmoothed = bool(st.session_state.get("table_unsmoothed"))
    st.download_button(
        "Table",
        partial(session.table, unsmoothed),
        f"{session.name}.csv",
        "text/csv",
        icon=":material/download:",
        key="table_csv",
        help="CSV: a row for each face of each frame, and for each frame without one.",
        on_click="ignore",
    )
    formats = {"Parquet": ".parquet", "JSON Lines": ".jsonl", **({"Excel": ".xlsx"} if find_spec("openpyxl") else {})}
    with st.popover("Other formats", key="table_formats"):
        for title, suffix in formats.items():
            st.download_button(
                title,
                partial(_in_format, session, suffix, unsmoothed),
                session.name + suffix,
                icon=":material/download:",
                key=f"table_{suffix}",
                on_click="ignore",
            )
        st.toggle(
            "With unsmoothed scores",
            key="table_unsmoothed",
            help="Adds the scores of each frame alone, before smoothing, as further columns, in CSV too.",
        )


def _documents(session: Session) -> None:
    """Offer what is made of the rows, and how they were made."""
    st.download_button(
        "Report",
        lambda: html_report(build_report(session)),
        f"{session.name}.html",
        "text/html",
        icon=":material/description:",
        key="session_report",
        help="One page to read, print and keep: shares, courses, markers, settings. It loads nothing.",
        on_click="ignore",
    )
    st.download_button(
        "For BORIS",
        lambda: boris_csv(session, rows_of(session)),
        f"{session.name}.boris.csv",
        "text/csv",
        icon=":material/download:",
        key="table_boris",
        help="CSV as BORIS exports aggregated events: each expression of each face as a state, and the markers.",
        on_click="ignore",
    )
    st.download_button(
        "How it was made",
        lambda: json.dumps(session.metadata(), indent=2, ensure_ascii=False),
        f"{session.name}.about.json",
        "application/json",
        icon=":material/download:",
        key="table_about",
        help="JSON: the model, its file's hash, the settings and when they changed, the times.",
        on_click="ignore",
    )


def _in_format(session: Session, suffix: str, unsmoothed: bool) -> bytes:
    return table_bytes(session.table(unsmoothed), suffix)


def _readable(rows: pd.DataFrame) -> pd.DataFrame:
    """Nothing is wrong with most faces, which is not a missing value."""
    rows = rows.astype({name: "str" for name in rows.columns if isinstance(rows[name].dtype, pd.CategoricalDtype)})
    if "not_valid_because" in rows:
        rows["not_valid_because"] = rows["not_valid_because"].fillna("")
    return rows
