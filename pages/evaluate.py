"""Evaluate: how good a model is, on what, and why."""

import streamlit as st

from fer_core.data.store import list_stores
from fer_core.errors import FerError
from fer_core.ui.components.data_view import open_view
from fer_core.ui.components.entry import require_app
from fer_core.ui.evaluate.calibration import calibration_view
from fer_core.ui.evaluate.choice import (
    choose,
    choose_subset,
    describe,
    evaluation_style,
    no_data,
    nothing_to_test_on,
)
from fer_core.ui.evaluate.compare import compare_view
from fer_core.ui.evaluate.confusion import confusion_view
from fer_core.ui.evaluate.galleries import show_open_face
from fer_core.ui.evaluate.measure import measure_panel, nothing_measured
from fer_core.ui.evaluate.report import report_view
from fer_core.ui.evaluate.robustness import robustness_view
from fer_core.ui.evaluate.saliency import models_view, saliency_view
from fer_core.ui.evaluate.scores import scores_view
from fer_core.ui.evaluate.view import open_evaluation

# By name of the tab; those of the first kind need scores.
_OF_SCORES = {
    "Scores": scores_view,
    "Confusion": confusion_view,
    "Calibration": calibration_view,
    "Robustness": robustness_view,
    "Compare": compare_view,
    "Report": report_view,
}
_OTHERS = {"Where it looks": saliency_view, "Models": models_view}

require_app()
evaluation_style()
st.title("Evaluate")
infos = [info for info in list_stores() if not info.problem]
if not infos:
    no_data()
    st.stop()
info, split, names = choose(infos)
if split is None:
    nothing_to_test_on(info)
    st.stop()
try:
    view_of_data = open_view(info)
    found = open_evaluation(view_of_data, split, names, choose_subset(view_of_data))
    describe(found)
    measure_panel(found)
    views = _OF_SCORES | _OTHERS
    for tab, (name, view) in zip(st.tabs(list(views), key="view", bind="query-params"), views.items(), strict=True):
        if tab.open:
            draw = view if found.models or name in _OTHERS else nothing_measured
            with tab:
                draw(found)
    show_open_face(found)
except FerError as error:
    st.error(str(error), icon=":material/error:")
