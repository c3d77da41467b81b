"""Pictures and videos: every face of every frame as a row of a table."""

import streamlit as st

from fer_core.models.bundle import MODEL_FILE
from fer_core.models.model_store import folder_with
from fer_core.ui.components.consent import acknowledge_limits
from fer_core.ui.components.entry import require_app
from fer_core.ui.components.loaders import require_model
from fer_core.ui.components.model_details import model_details
from fer_core.ui.media.view import media_view

require_app()
settings, recognizer = require_model()
acknowledge_limits(recognizer.card, "Pictures and videos")
st.title("Pictures and videos")
media_view(recognizer, folder_with(recognizer.card.files[MODEL_FILE], settings.model))
model_details(recognizer.card)
