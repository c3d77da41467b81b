"""What a viewer has faces scored for, where the model answers for several label sets."""

from __future__ import annotations

import streamlit as st

from fer_core.models.card import ModelCard
from fer_core.models.label_sets import title_of

_HELP = (
    "The same faces, judged by different people. **What people see**: ten people's votes on each picture (FER+), "
    "with FER-2013's own label as four more. **FER-2013's labels**: one opinion a picture, often more negative. **Ten "
    "people's votes**: FER+ alone. A change begins a new minute of scores and ends a recording."
)


def label_set_choice(card: ModelCard) -> str:
    """Return the label set that this viewer has chosen; draw the choice in the sidebar if there is one."""
    if len(card.label_sets) == 1:
        return card.label_sets[0]
    with st.sidebar:
        return st.selectbox(
            "Scores by",
            card.label_sets,
            format_func=title_of,
            key=f"label_set_{card.name}",
            persist_state="session",
            help=_HELP,
        )
