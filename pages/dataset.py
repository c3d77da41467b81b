"""Data set: what is in it, and what is wrong with it."""

import streamlit as st

from fer_core.data.store import list_stores
from fer_core.errors import DataError
from fer_core.ui.dataset_browse import browse
from fer_core.ui.dataset_face import show_asked_face
from fer_core.ui.dataset_header import about, choose_data, damaged, describe, page_style
from fer_core.ui.dataset_look import all_findings, available_model, show_looks
from fer_core.ui.dataset_marks import marks_panel, read_or_explain
from fer_core.ui.dataset_overview import overview
from fer_core.ui.dataset_map import map_view
from fer_core.ui.dataset_problems import problems_view
from fer_core.ui.dataset_source import no_data_yet, settle_reading, show_reading
from fer_core.ui.dataset_view import open_view
from fer_core.ui.entry import through_app

through_app()
page_style()
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
    view = open_view(info)
except DataError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

recognizer = available_model()
findings = all_findings(view, recognizer)
describe(view)
show_looks(view, recognizer)
tabs = st.tabs(["Overview", "Browse", "Problems", "Map"], key="view", bind="query-params")
marks = read_or_explain(view)
if tabs[0].open:
    with tabs[0]:
        overview(view, findings)
if tabs[1].open:
    with tabs[1]:
        browse(view, findings, marks)
if tabs[2].open:
    with tabs[2]:
        problems_view(view, findings, marks, recognizer)
if tabs[3].open:
    with tabs[3]:
        map_view(view, findings, marks, recognizer)
marks_panel(view, marks)
about(view)
show_asked_face(view, findings, recognizer)
