"""A table of faces on a page: the course of its scores, its rows, and the ways to take it away."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from importlib.util import find_spec
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.charts.timeline import QUIET, expression_course
from fer_core.formats import count_text
from fer_core.media.summary import FaceSummary, courses
from fer_core.media.table_formats import table_bytes
from fer_core.ui.components.face_cards import face_name

_SHOWN_FACES = 3
_COURSE_POINTS = 600
_COURSE_HEIGHT_PX = 260
_SHOWN_ROWS = 1000


def course_of_faces(
    rows: pd.DataFrame, labels: Sequence[str], faces: Sequence[FaceSummary], names: Mapping[int, str] | None = None
) -> None:
    """Draw how the scores of the faces that were there longest went over time.

    Args:
        rows: of one video or session.
        labels: names of the scores.
        faces: as `summarize` returns them, at least one.
        names: what faces are called, by their number; "Face 1" and so on if None.
    """
    st.subheader("Over time")
    shown = sorted(each.face for each in faces[:_SHOWN_FACES])
    panels = {
        escape((names or {}).get(face, face_name(face - 1))): course
        for face, course in courses(rows, labels, shown, _COURSE_POINTS).items()
    }
    st.plotly_chart(
        expression_course(panels, labels, _COURSE_HEIGHT_PX),
        key="course",
        config=QUIET,
        alt="Scores over time, one lane per expression",
    )
    if len(faces) > _SHOWN_FACES:
        st.caption(f"The {_SHOWN_FACES} faces that were there longest, of {len(faces)}.")


def table_of_faces(
    csv: bytes,
    rows: pd.DataFrame,
    about: Mapping[str, Any],
    name: str,
    note: str,
    on_choose: Callable[[int], None] | None = None,
) -> None:
    """Show a table and offer it, with what tells how it was made.

    Args:
        csv: the file.
        rows: what is in it.
        about: how it was made, as plain JSON values.
        name: of the file that is offered, without its ending.
        note: how long it stays where it is.
        on_choose: called with the index of a row that is chosen; rows cannot be chosen if None.
    """
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.subheader("The table", width="content")
        with st.container(horizontal=True, width="content"):
            st.download_button(
                "Table",
                csv,
                f"{name}.csv",
                "text/csv",
                icon=":material/download:",
                key="table_csv",
                help="CSV: a row for each face of each frame, and for each frame without one.",
                on_click="ignore",
            )
            _other_formats(csv, name)
            st.download_button(
                "How it was made",
                json.dumps(about, indent=2),
                f"{name}.about.json",
                "application/json",
                icon=":material/download:",
                key="table_about",
                help="JSON: the model, its file's hash, the settings, the times.",
                on_click="ignore",
            )
    shown = rows.head(_SHOWN_ROWS)
    if "not_valid_because" in shown:  # nothing is wrong with most faces, which is not a missing value
        shown = shown.assign(not_valid_because=shown["not_valid_because"].fillna(""))
    if on_choose is None:
        st.dataframe(shown, hide_index=True, height=320)
    else:
        _rows_to_choose(shown, on_choose)
    more = f", the first {_SHOWN_ROWS:,} shown" if len(rows) > _SHOWN_ROWS else ""
    st.caption(f"{count_text(len(rows), 'row')}{more}. {not_valid_text(rows)}{note}")


def _rows_to_choose(rows: pd.DataFrame, on_choose: Callable[[int], None]) -> None:
    def chosen() -> None:
        for position in st.session_state["table_rows"].selection.rows:
            on_choose(int(rows.index[position]))

    st.dataframe(rows, hide_index=True, height=320, key="table_rows", on_select=chosen, selection_mode="single-row")


def _other_formats(csv: bytes, name: str) -> None:
    formats = {"Parquet": ".parquet", "JSON Lines": ".jsonl", **({"Excel": ".xlsx"} if find_spec("openpyxl") else {})}
    with st.popover("Other formats", key="table_formats"):
        for title, suffix in formats.items():
            st.download_button(
                title,
                partial(table_bytes, csv, suffix),
                name + suffix,
                icon=":material/download:",
                key=f"table_{suffix}",
                on_click="ignore",
            )


def not_valid_text(rows: pd.DataFrame) -> str:
    """Say how many faces are marked as not valid, and why; nothing where none is or an earlier version wrote it."""
    if "valid" not in rows or not (not_valid := rows[rows["valid"] == "no"]).size:
        return ""
    reasons = not_valid["not_valid_because"].str.split(", ").explode().value_counts()
    why = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
    return f"{count_text(len(not_valid), 'face')} marked as not valid: {why}. "
