"""Which model scores the faces: the one put live last, unless a viewer chooses another."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import ModelError
from fer_core.models.bundle import CARD_FILE
from fer_core.models.card import ModelCard, is_fer2013
from fer_core.models.model_store import available_models, chosen_model, folder_of
from fer_core.ui.components.consent import measured_with_people

# What models trained on different labels of FER-2013 answer, in a sentence.
_LEARNED = {
    "people": "It learned how ten people voted on each picture (FER+), together with FER-2013's label.",
    "fer": "It learned FER-2013's own labels: one opinion a picture.",
    "votes": "It learned how ten people voted on each picture (FER+): labels that more people recognise.",
}
_SEVERAL = "It learned both FER-2013's labels and how ten people voted on each picture (FER+)."
# What sets a bundled model apart from the default.
_BESIDE_DEFAULT = {"accurate": "Two networks together, four times the size of people: right more often, but slower."}


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
        st.caption(_description(name))
    return name


def _description(name: str) -> str:
    """Return what a model learned and how often it agrees with people."""
    try:
        card = ModelCard.load(folder_of(name) / CARD_FILE)
    except ModelError as error:
        return str(error)
    known = is_fer2013(card.data) and (len(card.label_sets) > 1 or "label_set" in card.training)
    learned = _SEVERAL if len(card.label_sets) > 1 else _LEARNED.get(card.label_sets[0], "")
    parts = (_BESIDE_DEFAULT.get(name, ""), learned if known else "", measured_with_people(card))
    return " ".join(part for part in parts if part)
