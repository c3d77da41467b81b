"""Which model scores the faces and how good it was measured to be."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from fer_core.evaluation.results import SplitResult
from fer_core.evaluation.serialization import card_results
from fer_core.evaluation.text import truth_name
from fer_core.evaluation.truth import Truth
from fer_core.formats import percent
from fer_core.models.card import ModelCard, is_fer2013
from fer_core.ui.components.consent import accuracy_text


def model_details(card: ModelCard) -> None:
    """Show what the card says in an expander at the end of a page."""
    with st.expander("About the model", icon=":material/info:"):
        st.markdown(f"**{card.name}**: {card.parameters:,} parameters. Takes {card.input}. {accuracy_text(card)}")
        if card.metrics:
            st.dataframe(list(_rows(card)), hide_index=True, width="content")
        for limit in card.limits:
            st.markdown(f"- {limit}")


def _rows(card: ModelCard) -> Iterator[dict[str, str]]:
    """Give the figures of each split, against what most people saw where that was measured and against the labels."""
    for split, result in card_results(card).items():
        for truth in Truth:
            if truth is Truth.LABELS or result.majority:
                yield _row(split, result, truth, truth_name(truth, is_fer2013(card.measured_on)))


def _row(split: str, result: SplitResult, truth: Truth, against: str) -> dict[str, str]:
    metrics = result.against(truth).one_view
    low, high = metrics.accuracy_95
    return {
        "Split": split,
        "Against": against,
        "Images": f"{metrics.images:,}",
        "Accuracy": percent(metrics.accuracy),
        "95 % interval": f"{low * 100:.1f} to {high * 100:.1f} %",
        "Macro-F1": f"{metrics.macro_f1:.3f}",
        "Protocol": result.protocol,
    }
