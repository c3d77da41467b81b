"""Sessions: what was recorded on the live page, as tables."""

import streamlit as st

from fer_core.ui.components.entry import require_app
from fer_core.ui.sessions.view import sessions_view

require_app()
st.title("Recorded sessions")
sessions_view()
