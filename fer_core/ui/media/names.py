"""Faces of a video are given names on a page; those of one name are one from then on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.media.job import MediaResult
from fer_core.media.names import name_faces
from fer_core.media.summary import FaceSummary
from fer_core.recognition.table import read_table

# Names by file and face of the analysis of an id; and its result with them.
_NAMES, _NAMED = "media_names", "media_named"
_COLUMN = "Name"


def with_names(result: MediaResult, job_id: str) -> MediaResult:
    """Return the result of a job with the names that were given: a column `name` in its rows and in its table."""
    names = _names(job_id)
    signature = job_id, repr(names)
    known, named = st.session_state.get(_NAMED, ("", result))
    if known != signature:
        csv = name_faces(result.csv, names)
        named = result if csv is result.csv else dataclasses.replace(result, csv=csv, rows=read_table(csv))
        st.session_state[_NAMED] = signature, named
    return named


def ask_for_names(result: MediaResult, job_id: str, file: str, faces: Sequence[FaceSummary]) -> None:
    """Ask what the faces of a video are called.

    Args:
        result: of the job.
        job_id: of the job.
        file: name of the video.
        faces: all its faces by their own numbers, also those of one name.
    """
    with st.expander("Name faces"):
        numbers = sorted(each.face for each in faces)
        frames = {each.face: each.frames for each in faces}
        portraits = result.portraits.get(file, {})
        key, base = f"media_names_{file}", f"media_names_base_{file}"
        names = _names(job_id).get(file, {})
        if key not in st.session_state:  # the table must stay as it is while its cells are edited
            st.session_state[base] = dict(names)
        table = pd.DataFrame(
            {
                "": [portraits.get(face) for face in numbers],
                "Face": numbers,
                "Frames": [frames[face] for face in numbers],
                _COLUMN: [st.session_state[base].get(face, "") for face in numbers],
            }
        )
        st.data_editor(
            table,
            key=key,
            hide_index=True,
            disabled=["", "Face", "Frames"],
            column_config={"": st.column_config.ImageColumn(width="small")},
            on_change=_keep,
            args=(key, job_id, file, numbers),
        )
        st.caption(
            "Faces of one name are one in the cards, curves and the report. The table has names in a column of their "
            "own, and keeps the numbers."
        )


def _keep(key: str, job_id: str, file: str, faces: Sequence[int]) -> None:
    """Take over what was typed."""
    names = _names(job_id).setdefault(file, {})
    for row, cells in st.session_state[key]["edited_rows"].items():
        if _COLUMN in cells:
            names[faces[int(row)]] = (cells[_COLUMN] or "").strip()


def _names(job_id: str) -> dict[str, dict[int, str]]:
    known, names = st.session_state.setdefault(_NAMES, (job_id, {}))
    if known != job_id:
        names = {}
        st.session_state[_NAMES] = job_id, names
    return names
