"""What every page loads once per server: settings and the recognizer."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fer_core.errors import FerError
from fer_core.models.bundle import CARD_FILE
from fer_core.models.model_store import chosen_model, find_model
from fer_core.recognizer import EmotionRecognizer
from fer_core.settings import Settings
from fer_core.ui.components.model_choice import viewers_model


@st.cache_resource(show_spinner="Loading the model…", max_entries=6)
def _load(folder: str, changed_ns: int, threads: int | None) -> EmotionRecognizer:
    return EmotionRecognizer(Path(folder), threads=threads)


def recognizer_of(model: str, threads: int | None = None) -> EmotionRecognizer:
    """Return the model of a name or folder; one that is replaced under its name is loaded anew.

    Args:
        model: name or folder.
        threads: processor threads of one call, see `EmotionRecognizer`.

    Raises:
        ModelError: there is no such model, or its files are missing, cut short or altered.
    """
    folder = find_model(model)
    card = folder / CARD_FILE
    return _load(str(folder), card.stat().st_mtime_ns if card.exists() else 0, threads)


def load_recognizer() -> EmotionRecognizer:
    """Return the model that the settings name.

    Raises:
        FerError: the settings cannot be used, or there is no such model.
    """
    return recognizer_of(Settings.from_env().model or chosen_model())


def require_model(threads: int | None = None) -> tuple[Settings, EmotionRecognizer]:
    """Return the settings and the model they name; where that fails, say why and stop the page.

    Args:
        threads: processor threads of one call, see `EmotionRecognizer`.
    """
    try:
        settings = Settings.from_env()
        return settings, recognizer_of(settings.model or viewers_model(), threads)
    except FerError as error:
        st.error(f"**This page cannot work yet.** {error}", icon=":material/error:")
        st.stop()
