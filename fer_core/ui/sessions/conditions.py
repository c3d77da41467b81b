"""Conditions of a study compared: courses with bands, shares with intervals, differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.charts.moments import condition_curves
from fer_core.charts.timeline import QUIET
from fer_core.formats import count_text
from fer_core.sessions.comparison import Comparison, Estimate, Recorded, compare_conditions
from fer_core.sessions.markers import excluded_ranges, markers_of, without_ranges
from fer_core.sessions.store import Session
from fer_core.ui.components.widgets import empty_state

_HEIGHT_PX = 320
_NO_STUDY = "No study"


def conditions_view(sessions: Sequence[Session]) -> None:
    """Compare the conditions of the sessions that have one and a participant."""
    usable = [each for each in sessions if each.details.participant and each.details.condition and each.rows]
    if not usable:
        empty_state(
            "Conditions are compared here",
            "Give sessions a participant and a condition, before they are recorded or under Details.",
            260,
        )
        return
    study = st.selectbox(
        "Study", sorted({each.details.study for each in usable}), format_func=lambda name: name or _NO_STUDY, width=320
    )
    chosen = [each for each in usable if each.details.study == study]
    labels = chosen[0].labels
    same = [each for each in chosen if each.labels == labels]
    comparison = _compared(_keys(same), labels, same)
    _courses(comparison, labels)
    _shares(comparison, labels)
    _differences(comparison, labels)
    left_out = sum(each.details.study == study for each in sessions) - len(same)
    if left_out:
        st.caption(
            f"{count_text(left_out, 'session')} of this study without a participant, a condition or the same "
            "expressions left out."
        )


Key = tuple[str, str, int, str, str, tuple[tuple[float, float], ...]]


def _keys(sessions: Sequence[Session]) -> tuple[Key, ...]:
    """Return what a comparison depends on."""
    return tuple(
        (
            each.database.place,
            each.name,
            each.rows,
            each.details.participant,
            each.details.condition,
            tuple(excluded_ranges(markers_of(each))),
        )
        for each in sessions
    )


@st.cache_resource(max_entries=4, show_spinner="Comparing over participants …")
def _compared(keys: tuple[Key, ...], labels: tuple[str, ...], _sessions: Sequence[Session]) -> Comparison:
    recorded = [
        Recorded(key[3], key[4], without_ranges(session.short_rows(), key[5]))
        for key, session in zip(keys, _sessions, strict=True)
    ]
    return compare_conditions(recorded, labels)


def _courses(comparison: Comparison, labels: Sequence[str]) -> None:
    label = st.segmented_control("Expression", labels, default=labels[0], required=True, key="condition_expression")
    column = list(labels).index(label)
    curves = {
        f"{each.name} ({count_text(len(each.participants), 'participant')})": (
            each.course.mean[:, column],
            each.course.low[:, column],
            each.course.high[:, column],
        )
        for each in comparison.conditions
    }
    st.plotly_chart(
        condition_curves(comparison.time_s, curves, f"Mean score, {label}", _HEIGHT_PX),
        key="condition_chart",
        config=QUIET,
        alt=f"Mean score of {label} by time, one line per condition with its band",
    )
    st.caption(
        "Mean over participants, all faces of a session together. Bands and intervals: 95 %, bootstrap over "
        "participants, not frames; with one participant there is none."
    )


def _shares(comparison: Comparison, labels: Sequence[str]) -> None:
    st.subheader("Share of time by condition")
    table = pd.DataFrame({"Expression": labels})
    for each in comparison.conditions:
        table[each.name] = _texts(each.shares)
    st.dataframe(table, hide_index=True, key="condition_shares")


def _differences(comparison: Comparison, labels: Sequence[str]) -> None:
    if not comparison.differences:
        return
    st.subheader("Differences")
    table = pd.DataFrame({"Expression": labels})
    for each in comparison.differences:
        how = "each with itself" if each.paired else "different people"
        table[f"{each.second} − {each.first} ({each.participants} participants, {how})"] = _texts(each.estimate, "+")
    st.dataframe(table, hide_index=True, key="condition_differences")
    st.caption("Percentage points with their 95 % interval; one that holds 0 may be chance.")


def _texts(estimate: Estimate, sign: str = "") -> list[str]:
    return [
        _interval_text(mean * 100, low * 100, high * 100, sign)
        for mean, low, high in zip(estimate.mean, estimate.low, estimate.high, strict=True)
    ]


def _interval_text(mean: float, low: float, high: float, sign: str) -> str:
    if not np.isfinite(mean):
        return "–"
    unit = "" if sign else " %"
    between = f" ({low:{sign}.1f} to {high:{sign}.1f}{unit})" if np.isfinite(low) else ""
    return f"{mean:{sign}.1f}{unit}{between}".replace("-", "−")
