"""Which model scores the faces: the one put live last, unless a viewer chooses another for himself."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import ModelError
from fer_core.models.bundle import CARD_FILE
from fer_core.models.card import ModelCard, is_fer2013
from fer_core.models.model_store import available_models, chosen_model, folder_of

# How models that learned different labels of FER-2013 differ, in a sentence.
_LEARNED = {
    "fer": "It learned FER-2013's own labels: one opinion a picture.",
    "ferplus": "It learned how ten people voted on each picture (FER+): labels that more people recognise.",
}


def viewers_model() -> str:
    """Return the model that this viewer uses; with more than one to choose from, draw the choice in the sidebar."""
    names, chosen = available_models(), chosen_model()
    if len(names) == 1:
        return chosen
    with st.sidebar:
        # A model that is put live becomes everybody's choice anew, hence its name in the key.
        name = st.selectbox(
            "Model",
            names,
            names.index(chosen),
            key=f"model_{chosen}",
            persist_state="session",
            help="What scores the expressions. Models of finished runs come here by Put live on the Training page.",
        )
        st.caption(_words(name))
    return name


def _words(name: str) -> str:
    try:
        card = ModelCard.load(folder_of(name) / CARD_FILE)
    except ModelError as error:
        return str(error)
    return _LEARNED.get(card.training.get("label_set"), "") if is_fer2013(card.data) else ""
