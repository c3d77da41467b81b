"""What a viewer has faces scored for, where the model answers for several label sets."""

from __future__ import annotations

import streamlit as st

from fer_core.models.card import ModelCard
from fer_core.models.label_sets import title_of

_NONE = ""
_HELP = (
    "Whose judgement the scores follow. **What people see**: ten people's votes on each picture (FER+) together with "
    "FER-2013's own label. **FER-2013's labels**: the one label that each picture came with. "
    "**Ten people's votes**: FER+ alone."
)


def label_set_choice(card: ModelCard, note: str = "") -> str:
    """Return the label set that this viewer has chosen; if the model has several, draw the choice in the sidebar.

    Args:
        card: of the model.
        note: what else a change does on this page, added to the help.
    """
    if len(card.label_sets) == 1:
        return card.label_sets[0]
    with st.sidebar:
        return st.selectbox(
            "Labels",
            card.label_sets,
            format_func=title_of,
            key=f"label_set_{card.name}",
            persist_state="session",
            help=f"{_HELP} {note}".strip(),
        )


def second_label_set_choice(card: ModelCard, label_set: str) -> str | None:
    """Return the label set to show beside `label_set`, None for none; draw the choice in the sidebar if there is one.

    Args:
        card: of the model.
        label_set: the chosen one.
    """
    others = [name for name in card.label_sets if name != label_set]
    if not others:
        return None
    with st.sidebar:
        chosen = st.selectbox(
            "Compare with",
            [_NONE, *others],
            format_func=lambda name: title_of(name) if name else "Nothing",
            key=f"second_label_set_{card.name}_{label_set}",
            persist_state="session",
            help="Scores for another label set, as marks on the bars and in words. The same network gives both at no "
            "further cost. They are not recorded.",
        )
    return chosen or None
