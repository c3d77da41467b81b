"""Measuring, as the page sees it: what is missing, one press to get it, how far it is."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fer_core.background.jobs import running_job
from fer_core.evaluation.assessment import measured_splits
from fer_core.evaluation.process import MeasureModels
from fer_core.ui.components.data_view import shown_name
from fer_core.ui.components.jobs import own_job, show_failure, show_job, start_own_job
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.view import Evaluation, listed


def measuring() -> bool:
    """Tell whether something is being measured now."""
    return running_job(MeasureModels.kind) is not None


def measure_panel(found: Evaluation) -> None:
    """Show the measurement that runs; else why the last one of this tab failed, and how to measure what is missing."""
    if (job := running_job(MeasureModels.kind)) is not None:
        show_job(job)
        return
    if (job := own_job(MeasureModels.kind)) is not None:
        show_failure(job, "The last measurement failed.")
        if job.state != "failed":
            job.remove()  # its scores are in the cache
    if not found.missing:
        return
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
        words = "Choose a model above."
        if not found.view.faces.has_emotions:
            words += " If none has the classes of this data set, train one on the Training page and put it live."
        empty_state("Figures appear here", words, 300)
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


def _start(names: Sequence[str], data: str, splits: Sequence[str], robustness: bool = False) -> None:
    if (before := own_job(MeasureModels.kind)) is not None:
        before.remove()
    start_own_job(MeasureModels(tuple(names), data, tuple(splits), robustness))
