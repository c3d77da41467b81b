"""Data set: what is in it, and what is wrong with it."""

import dataclasses

import streamlit as st

from fer_core.data.store import StoreInfo, list_stores
from fer_core.errors import DataError
from fer_core.ui.components.analysis import all_findings, available_model, show_looks
from fer_core.ui.components.corrections import corrections_panel, read_or_explain
from fer_core.ui.components.data_view import faces_style, open_view
from fer_core.ui.components.entry import require_app
from fer_core.ui.components.face_dialog import show_asked_face
from fer_core.ui.components.selections import explain_failure
from fer_core.ui.dataset.browse import browse
from fer_core.ui.dataset.cleaning import cleaning_section
from fer_core.ui.dataset.collect import selections_panel
from fer_core.ui.dataset.header import about, choose_data, damaged, describe
from fer_core.ui.dataset.map import map_view
from fer_core.ui.dataset.overview import overview
from fer_core.ui.dataset.problems import problems_view
from fer_core.ui.dataset.source import no_data_yet, settle_reading, show_reading


def show(info: StoreInfo) -> None:
    """Draw all that is known of a data set.

    Raises:
        DataError: it is damaged, perhaps only since it was opened.
    """
    view = open_view(info)
    recognizer = available_model()
    findings = all_findings(view, recognizer)
    describe(view)
    show_looks(view, recognizer)
    corrections = read_or_explain(view)
    explain_failure(view.info)
    tabs = st.tabs(["Overview", "Browse", "Problems", "Map"], key="view", bind="query-params")
    if tabs[0].open:
        with tabs[0]:
            overview(view, findings)
    if tabs[1].open:
        with tabs[1]:
            browse(view, findings, corrections, recognizer)
    if tabs[2].open:
        with tabs[2]:
            problems_view(view, findings, corrections, recognizer)
    if tabs[3].open:
        with tabs[3]:
            map_view(view, findings, corrections, recognizer)
    cleaning_section(view, findings, corrections)
    corrections_panel(view, corrections)
    selections_panel(view)
    about(view, corrections)
    show_asked_face(view, findings, recognizer)


require_app()
faces_style()
reading = settle_reading()
infos = list_stores()
if not infos:
    st.title("Data set")
    show_reading(reading)
    no_data_yet()
    st.stop()

info = choose_data(infos)
show_reading(reading)
if info.problem:
    damaged(info)
    st.stop()
try:
    show(info)
except DataError as error:
    damaged(dataclasses.replace(info, problem=str(error)))
