"""Which model scores the faces and how good it was measured to be."""

from __future__ import annotations

import streamlit as st

from fer_core.models.card import ModelCard
from fer_core.ui.components.consent import accuracy_words


def model_details(card: ModelCard) -> None:
    """Fold what the card says into the end of a page."""
    with st.expander("About the model", icon=":material/info:"):
        st.markdown(f"**{card.name}**: {card.parameters:,} parameters. Takes {card.input}. {accuracy_words(card)}")
        if card.metrics:
            st.dataframe(
                [_row(split, figures) for split, figures in card.measured.items()], hide_index=True, width="content"
            )
        for limit in card.limits:
            st.markdown(f"- {limit}")


def _row(split: str, figures: dict) -> dict[str, str]:
    low, high = figures["accuracy_95"]
    return {
        "Split": split,
        "Images": f"{figures['images']:,}",
        "Accuracy": f"{figures['accuracy'] * 100:.1f} %",
        "95 % interval": f"{low * 100:.1f} to {high * 100:.1f} %",
        "Macro-F1": f"{figures['macro_f1']:.3f}",
        "Protocol": figures["protocol"],
    }
