"""A session's rows and the part of them that is looked at, shared by the tabs of its page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.formats import count_text
from fer_core.media.summary import FaceSummary, summarize
from fer_core.sessions.analysis import in_range, valid_rows
from fer_core.sessions.later_baselines import LaterBaseline, baselines_of
from fer_core.sessions.markers import excluded_ranges, markers_of, without_ranges
from fer_core.sessions.store import Session
from fer_core.types import corrected_column
from fer_core.ui.components.face_cards import face_name

ALL_FACES = "All faces"


@st.cache_resource(max_entries=4, show_spinner=False)
def _cached_rows(place: str, name: str, rows: int, _session: Session) -> pd.DataFrame:
    return _session.short_rows()


@st.cache_resource(max_entries=20, show_spinner=False)
def _cached_summary(
    place: str, name: str, rows: int, excluded: tuple[tuple[float, float], ...], _session: Session
) -> tuple[list[FaceSummary], int]:
    summed = without_ranges(rows_of(_session), excluded)
    return summarize(summed, _session.labels), int(summed["frame"].nunique())


def rows_of(session: Session) -> pd.DataFrame:
    """Return what `short_rows` returns, read once for as many reruns as look at it; nobody may change it."""
    return _cached_rows(session.database.place, session.name, session.rows, session)


def summary_of(session: Session) -> tuple[list[FaceSummary], int]:
    """Return the faces, those found most often first, and how many frames there are; excluded ranges are left out."""
    excluded = tuple(excluded_ranges(markers_of(session)))
    return _cached_summary(session.database.place, session.name, session.rows, excluded, session)


def forget_rows() -> None:
    """Forget the rows of sessions that were looked at: one was deleted."""
    _cached_rows.clear()
    _cached_summary.clear()


def summed_rows(session: Session) -> pd.DataFrame:
    """Return the rows that summaries are made of: those in no excluded range."""
    return without_ranges(rows_of(session), excluded_ranges(markers_of(session)))


def chosen_range(session: Session) -> tuple[float, float]:
    """Ask for a part of the session; return its begin and end in seconds."""
    end_s = max(round(session.length_s + 0.05, 1), 0.1)
    key = f"range {session.name}"
    begin_s, last_s = st.slider(
        "Part of the session", 0.0, end_s, (0.0, end_s), 0.1, "%.1f s", key=key, persist_state="session"
    )
    return float(begin_s), float(last_s)


def chosen_rows(session: Session) -> pd.DataFrame:
    """Ask for a part, a face and validity; return the rows that are looked at, excluded ranges left out."""
    begin_s, end_s = chosen_range(session)
    rows = in_range(summed_rows(session), begin_s, end_s)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        face = chosen_face(session, rows)
        valid_only = "valid" in rows and st.toggle(
            "Valid faces only", key="valid_only", help="Leaves out faces that are too small, blurred, dark or cut off."
        )
    rows = valid_rows(rows) if valid_only else rows
    return rows if face is None else rows[rows["face"] == face]


def chosen_face(session: Session, rows: pd.DataFrame, otherwise: str = ALL_FACES, place: str = "") -> int | None:
    """Ask for a face where there are several; return its number, None for the choice that is called `otherwise`.

    Args:
        session: whose faces they are.
        rows: with the faces.
        otherwise: the choice of no single face.
        place: tells two such choices on a page apart.
    """
    counts = rows["face"].dropna().value_counts()
    if len(counts) < 2:
        return None
    names = {otherwise: None, **{face_name(int(face) - 1): int(face) for face in sorted(counts.index)}}
    return names[st.selectbox("Face", list(names), key=f"face {place} {session.name}".replace("  ", " "), width=220)]


def with_chosen_scores(session: Session, rows: pd.DataFrame) -> pd.DataFrame:
    """Ask for raw or corrected scores where there are both; return the rows with the chosen ones as scores."""
    corrected = {label: corrected_column(label) for label in session.labels}
    if not set(corrected.values()) <= set(rows.columns):
        return rows
    choice = st.segmented_control("Scores over time", ["Raw", "Corrected"], default="Raw", required=True, key="scores")
    later = {each.face: later_text(each) for each in baselines_of(session)}
    for baseline in session.metadata().get("baselines", []):
        if baseline["face"] not in later:
            st.caption(_baseline_text(baseline))
    for text in later.values():
        st.caption(text)
    return rows if choice == "Raw" else rows.assign(**{label: rows[name] for label, name in corrected.items()})


def later_text(later: LaterBaseline) -> str:
    """Say which seconds, chosen after the session, a face's scores are corrected by."""
    baseline = later.baseline
    return (
        f"{face_name(later.face - 1)}: corrected throughout for its neutral face, set afterwards by "
        f"{count_text(baseline.frames, 'frame')}, {baseline.first_s:.1f} to {baseline.last_s:.1f} s."
    )


def _baseline_text(baseline: dict) -> str:
    """Say from when on a face's scores were corrected, and by which seconds."""
    if origin := baseline.get("from_session"):
        used = f"kept from {origin}"
    elif baseline["first_s"] >= 0:
        used = f"{clock(baseline['first_s'])} to {clock(baseline['last_s'])}"
    else:
        used = f"{baseline['last_s'] - baseline['first_s']:.1f} s that began before the recording"
    frames = count_text(baseline["frames"], "frame")
    name = face_name(baseline["face"] - 1)
    return f"{name}: corrected for its neutral face from {clock(baseline['from_s'])} on, set by {frames}, {used}."
