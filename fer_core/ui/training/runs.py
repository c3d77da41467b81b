"""All runs: a table to sort and to choose from, and several of them over each other."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.charts.timeline import QUIET
from fer_core.charts.training import compare_curves
from fer_core.training.config import differences
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.store import RunResult, result_of
from fer_core.ui.training.form import FOLLOWED

_COLUMNS = {
    "Validation": st.column_config.NumberColumn(
        format="%.1f %%",
        help="Best accuracy of all epochs on the splits that "
        "the run validates on, or the last where none may be picked",
    ),
    "PublicTest": st.column_config.NumberColumn(format="%.1f %%", help="Accuracy of the finished run"),
    "PrivateTest": st.column_config.NumberColumn(format="%.1f %%", help="Accuracy, measured once, after training"),
    "Parameters": st.column_config.NumberColumn(format="localized"),
    "Size": st.column_config.NumberColumn(format="%.1f MB"),
    "Per face": st.column_config.NumberColumn(format="%.2f ms", help="One face in the runtime of the live page"),
    "Duration": st.column_config.NumberColumn(format="%.1f min", help="All epochs together"),
}


def runs_table(runs: Sequence[RunFolder]) -> None:
    """Draw the table; one marked row is followed above, several are compared below."""
    st.subheader("Runs")
    results = [result_of(run) for run in runs]
    key = f"runs_{len(runs)}"  # another number of rows, and what was marked is no longer the same run
    st.dataframe(
        pd.DataFrame([_row(result) for result in results]),
        hide_index=True,
        width="stretch",
        column_config=_COLUMNS,
        selection_mode="multi-row",
        placeholder="–",
        key=key,
        on_select=lambda: _follow_marked(runs, key),
    )
    st.caption("Correction one run to see it above, two or more to compare them.")
    chosen = _marked(runs, key)
    if len(chosen) > 1:
        _compare(chosen)


def _marked(runs: Sequence[RunFolder], key: str) -> list[RunFolder]:
    return [runs[row] for row in st.session_state[key]["selection"]["rows"] if row < len(runs)]


def _follow_marked(runs: Sequence[RunFolder], key: str) -> None:
    if len(marked := _marked(runs, key)) == 1:
        st.session_state[FOLLOWED] = marked[0].name


def _row(result: RunResult) -> dict[str, object]:
    def percent(share: float | None) -> float | None:
        return None if share is None else share * 100

    return {
        "Run": result.name,
        "State": result.state,
        "Epochs": result.epochs,
        "Validation": percent(result.validation_accuracy),
        "PublicTest": percent(result.public_accuracy),
        "PrivateTest": percent(result.private_accuracy),
        "Parameters": result.parameters,
        "Size": result.size_bytes and result.size_bytes / 1e6,
        "Per face": result.ms_per_face,
        "Duration": result.seconds / 60,
    }


def _compare(runs: Sequence[RunFolder]) -> None:
    st.subheader("Compared")
    histories = {run.name: run.history() for run in runs}
    for column, quantity in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        column.caption(f"Validation {quantity}")
        column.plotly_chart(
            compare_curves(histories, quantity),
            width="stretch",
            config=QUIET,
            key=f"compare_{quantity}",
            alt=f"validation {quantity} of the marked runs by epoch",
        )
    table = differences([run.config() for run in runs])
    if not table:
        st.caption("Their configurations are the same.")
        return
    st.caption("Where their configurations differ; what differs from the first run is highlighted")
    frame = pd.DataFrame(
        {name.replace("_", " "): [_shown(value) for value in values] for name, values in table.items()},
        index=[run.name for run in runs],
    ).T
    st.dataframe(frame.style.apply(_highlight, axis=1), width="stretch", key="differences")


def _highlight(row: pd.Series) -> list[str]:
    return ["background-color: rgba(79, 124, 172, 0.25)" if value != row.iloc[0] else "" for value in row]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
