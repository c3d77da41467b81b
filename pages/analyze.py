"""Pictures and videos: every face of every frame as a row of a table."""

import streamlit as st

from fer_core.ui.entry import through_app
from fer_core.ui.loaders import load_or_stop
from fer_core.ui.media_view import media_view
from fer_core.ui.model_details import model_details
from fer_core.ui.notice import acknowledge_limits

through_app()
_, recognizer = load_or_stop()
acknowledge_limits(recognizer.card, "Pictures and videos")
st.title("Pictures and videos")
media_view(recognizer)
model_details(recognizer.card)
