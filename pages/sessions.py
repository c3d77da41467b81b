"""Sessions: what was recorded on the live page, as tables."""

import streamlit as st

from fer_core.ui.entry import through_app
from fer_core.ui.sessions_view import sessions_view

through_app()
st.title("Recorded sessions")
sessions_view()
