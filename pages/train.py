"""Training: start a run, watch it, leave it, come back to it, compare it, put its result live."""

from pathlib import Path

import streamlit as st

import fer_core
from fer_core.dependencies import training_unavailable
from fer_core.training.run.store import broken_runs, list_runs
from fer_core.ui.components.access import operator_only
from fer_core.ui.components.entry import require_app
from fer_core.ui.training.follow import broken_panel, follow, followed_run
from fer_core.ui.training.form import new_run_form
from fer_core.ui.training.runs import runs_table
from fer_core.ui.training.sweeps import sweeps_panel

_STYLE = Path(fer_core.__file__).parent / "ui" / "training" / "training.css"

require_app()
st.html(_STYLE)
st.title("Training")

every_run = list_runs()
problems = broken_runs(every_run)
runs = [run for run in every_run if run.name not in problems]
form, shown = st.columns([4, 9], gap="large")
with form:
    if message := training_unavailable("Training"):
        st.info(message, icon=":material/info:")
    elif operator_only("Training, and deciding about runs,", "train_token"):
        new_run_form()
with shown:
    follow(followed_run(runs))
if runs:
    runs_table(runs)
    sweeps_panel(runs)
broken_panel(problems, every_run)
