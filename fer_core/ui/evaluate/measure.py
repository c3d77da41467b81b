"""Measuring, as the page sees it: what is missing, one press to get it, how far it is. The scoring itself is done in
a process of its own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fer_core.evaluation.assessment import measured_splits
from fer_core.evaluation.process import (
    Job,
    measuring_job,
    start_measuring,
    stop_measuring,
)
from fer_core.ui.components.data_view import shown_name
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.view import Evaluation, listed

_LOOK_S = 0.5


def measuring() -> bool:
    """Tell whether something is being measured now."""
    job = measuring_job()
    return job is not None and job.running


def measure_panel(found: Evaluation) -> None:
    """Show the measurement that goes on or, if something is missing, why the last one failed and the way to start."""
    job = measuring_job()
    if job is not None and job.running:
        st.fragment(_follow, run_every=_LOOK_S)()
        return
    if not found.missing:
        return
    show_failure(job)
    splits = measured_splits(found.view.faces)
    faces = len(found.view.faces.rows_of(*splits))
    with st.container(border=True, key="measure"):
        words, action = st.columns([6, 1], vertical_alignment="center", gap="medium")
        have = "has" if len(found.missing) == 1 else "have"
        words.markdown(
            f"**{listed(found.missing)}** {have} not been measured on {shown_name(found.view.info)} yet: "
            f"{faces:,} faces of {listed(splits)}, each as it is and mirrored. Figures are kept."
        )
        action.button(
            "Measure",
            type="primary",
            icon=":material/speed:",
            key="measure_now",
            on_click=_start,
            args=(found.missing, found.view.info.name, splits),
        )


def nothing_measured(found: Evaluation) -> None:
    """Say what will be here once a model is chosen and measured."""
    if not found.chosen:
        empty_state("Figures appear here", "Choose a model above.", 300)
    elif found.missing:
        words = "Wait for the measurement above." if measuring() else "Press Measure above."
        empty_state("Figures appear here", f"Nothing has been measured on {found.split} yet. {words}", 300)
    else:
        empty_state("Figures appear here", "None of the chosen models can be measured. Choose another.", 300)


def measure_robustness(found: Evaluation, names: Sequence[str], primary: bool = True) -> None:
    """Draw the button that measures models on worse pictures of the split."""
    st.button(
        "Measure robustness",
        type="primary" if primary else "secondary",
        icon=":material/speed:",
        key="measure_robustness",
        disabled=measuring(),
        on_click=_start,
        args=(names, found.view.info.name, (found.split,), True),
    )


def show_failure(job: Job | None) -> None:
    """Say why the last measurement ended early, if it did."""
    if job is not None and job.error:
        st.error(f"**The last measurement failed.** {job.error}", icon=":material/error:")


def _start(names: Sequence[str], data: str, splits: Sequence[str], robustness: bool = False) -> None:
    if not start_measuring(names, data, splits, robustness):
        st.toast("Another measurement goes on. Wait for it or stop it.", icon=":material/hourglass:")


def _follow() -> None:
    job = measuring_job()
    if job is None or not job.running:
        st.rerun()
    share = min(1.0, job.done / max(1, job.total))
    counted = f" · {job.done:,} of {job.total:,} faces" if job.total > 1 else ""
    with (
        st.container(border=True, key="measuring"),
        st.container(horizontal=True, vertical_alignment="center", gap="medium"),
    ):
        st.progress(share, f"{job.what}{counted}")
        st.button("Stop", key="stop_measuring", on_click=stop_measuring)
