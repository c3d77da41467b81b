"""Training: start a run, watch it, leave it, come back to it, compare it, put its result live."""

from pathlib import Path

import streamlit as st

import fer_core
from fer_core.dependencies import training_unavailable
from fer_core.training.run.store import broken_runs, list_runs
from fer_core.ui.components.entry import require_app
from fer_core.ui.training.follow import follow
from fer_core.ui.training.form import FOLLOWED, new_run_form
from fer_core.ui.training.runs import runs_table

_STYLE = Path(fer_core.__file__).parent / "ui" / "training" / "training.css"

require_app()
st.html(_STYLE)
st.title("Training")

runs = list_runs()
problems = broken_runs(runs)
for name, problem in problems.items():
    st.warning(f"**The run {name} cannot be read.** {problem}", icon=":material/warning:")
runs = [run for run in runs if run.name not in problems]
form, shown = st.columns([4, 9], gap="large")
with form:
    if message := training_unavailable("Training"):
        st.info(message, icon=":material/info:")
    else:
        new_run_form()
with shown:
    by_name = {run.name: run for run in runs}
    live = next((run for run in reversed(runs) if (status := run.status()) and status.live), None)
    follow(by_name.get(st.session_state.get(FOLLOWED, "")) or live or (runs[0] if runs else None))
if runs:
    runs_table(runs)
