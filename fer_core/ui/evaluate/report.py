"""Download everything that was measured: as a page that needs no other file, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st

from fer_core.evaluation.report import ReportedModel, build_report, html_report, report_to_json
from fer_core.evaluation.results import RobustnessResult
from fer_core.ui.evaluate.view import Evaluation, Measured


def report_view(found: Evaluation) -> None:
    """Offer the report of the measured models as HTML and as JSON."""
    data = f"{found.view.info.name}{f', subset {found.subset}' if found.subset else ''}"
    report = build_report(found.faces, data, found.split, _reported(found), datetime.now(UTC))
    st.markdown(
        "Everything on this page in one file: what people see, accuracy with intervals and protocols, figures by "
        "expression, confusion matrices, calibration, robustness where it was measured, what the cards say. There are "
        "no faces in it, and it loads nothing from elsewhere."
    )
    name = "-".join(filter(None, ("evaluation", found.view.info.name, found.subset, found.split))).replace(" ", "-")
    with st.container(horizontal=True):
        # Drawing takes a second or two, so it waits for the click.
        st.download_button(
            "Download the report",
            lambda: html_report(report),
            f"{name}.html",
            "text/html",
            key="report_html",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Download the figures as JSON",
            lambda: json.dumps(report_to_json(report), indent=2),
            f"{name}.json",
            "application/json",
            key="report_json",
            icon=":material/data_object:",
            on_click="ignore",
        )
    st.caption(f"{', '.join(model.name for model in found.models)} on {', '.join(found.models[0].scores)}.")


def _reported(found: Evaluation) -> Sequence[ReportedModel]:
    return [
        ReportedModel(
            model.name,
            model.bundle,
            model.scores,
            model.result,
            _robustness(found, model),
        )
        for model in found.models
    ]


def _robustness(found: Evaluation, model: Measured) -> Mapping[str, RobustnessResult]:
    """Return what is kept of a model's robustness; nothing with a subset, since that is measured on whole splits."""
    robustness = None if found.subset else found.robustness(model)
    return {} if robustness is None else {found.split: robustness}
