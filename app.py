"""The app: its pages and what they share. Start it with `streamlit run app.py`."""

import logging

import streamlit as st

from fer_core.ui.components.entry import keep_page_changes, leave_live
from fer_core.ui.components.jobs import keep_owner
from fer_core.ui.components.widgets import LOGO, apply_style

logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
logging.getLogger("fer_core").setLevel(logging.INFO)

st.set_page_config(page_title="Facial expressions", page_icon=str(LOGO), layout="wide")
st.logo(str(LOGO), size="large")
apply_style()
keep_owner()
keep_page_changes()

live = st.Page("pages/live.py", title="Live", icon=":material/videocam:", default=True)
page = st.navigation(
    [
        live,
        st.Page("pages/analyze.py", title="Pictures and videos", icon=":material/movie:"),
        st.Page("pages/sessions.py", title="Sessions", icon=":material/history:"),
        st.Page("pages/dataset.py", title="Data set", icon=":material/photo_library:"),
        st.Page("pages/train.py", title="Training", icon=":material/model_training:"),
        st.Page("pages/evaluate.py", title="Evaluate", icon=":material/insights:"),
    ]
)
if page != live:
    leave_live()
page.run()
