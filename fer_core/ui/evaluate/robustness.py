"""Accuracy on corrupted images, one panel a corruption."""

from __future__ import annotations

import streamlit as st

from fer_core.charts.robustness import robustness_chart
from fer_core.charts.timeline import QUIET
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.evaluation.truth import Truth
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.measure import measure_robustness
from fer_core.ui.evaluate.view import Evaluation, listed


def robustness_view(found: Evaluation) -> None:
    """Draw the curves of the models that were measured so, and offer to measure the others."""
    curves = {model.name: kept for model in found.models if (kept := found.robustness(model))}
    missing = [model.name for model in found.models if model.name not in curves]
    passes = sum(level != 0 for corruption in CORRUPTIONS.values() for level in corruption.levels)
    faces = len(found.view.faces.rows_of(found.split))
    cost = f"{passes} passes over the {faces:,} faces of {found.split}"
    if not curves:
        empty_state(
            "How accuracy falls as pictures get worse appears here",
            f"Darker, blurred, noisy, shifted, turned: {len(CORRUPTIONS)} corruptions at several levels. It takes "
            f"{cost} for each model; the results are kept.",
            300,
        )
        with st.container(horizontal=True, horizontal_alignment="center"):
            measure_robustness(found, missing)
        return
    colors = {model.name: model.color for model in found.models}
    st.plotly_chart(
        robustness_chart(curves, {name: each.unit for name, each in CORRUPTIONS.items()}, colors),
        config=QUIET,
        key="robustness",
        alt=f"Accuracy on {found.split} against the level of each fault",
    )
    st.caption(
        f"Accuracy on {'the whole of ' if found.subset else ''}{found.split} against "
        f"{found.truth_name(Truth.LABELS)}, one view. The ring is the picture as it is; JPEG has none, "
        "its quality of 100 comes close. What leaves a picture is replaced by its border."
    )
    if missing:
        st.markdown(
            f"**{listed(missing)}** {'has' if len(missing) == 1 else 'have'} not been measured on worse "
            f"pictures: {cost} each."
        )
        measure_robustness(found, missing, primary=False)
