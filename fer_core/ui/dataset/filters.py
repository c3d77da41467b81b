"""The filters and the order of Browse, all of them in the page's address; what few people need is folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from fer_core.audit.findings import Findings
from fer_core.audit.model_outputs import ModelOutputs
from fer_core.audit.problems import TITLES, problem_keys
from fer_core.audit.search import NOT_VOTED, OTHER, RANGES, Query, Range
from fer_core.data.votes import has_votes
from fer_core.emotions import LABELS
from fer_core.formats import count_text
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.analysis import find_model_outputs, look_with_model, model_looking
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.selections import saved_selections

_SUSPICIOUS = {"Suspicious": True, "Others": False}
_ORDERS = {
    "Row": "row",
    "Most suspicious": "issue_score",
    "Darkest": "brightness",
    "Flattest": "contrast",
    "Shuffled": "shuffled",
}
_CONFIDENCE_ORDERS = {"Least confident": "least_confident", "Most confident": "most_confident"}
# The address's word for each filter that is folded away, and what it is called on the page.
_FOLDED = {
    "subset": "subset",
    "tags": "tags",
    "problems": "problems",
    "votes": "votes for the label",
    "score": "issue score",
    "brightness": "brightness",
    "contrast": "contrast",
    "predicted": "prediction",
    "confidence": "confidence",
}
# The whole range of each slider, by the address's word for it.
_WHOLE: dict[str, tuple[int, int]] = {
    "votes": (0, 10),
    "score": (0, 100),
    "brightness": (0, 255),
    "contrast": (0, 128),
    "confidence": (0, 100),
}


def choose_faces(
    view: DataView, findings: Findings, recognizer: EmotionRecognizer | None
) -> tuple[Query, str, ModelOutputs | None]:
    """Draw the filters and the order in the sidebar.

    Returns:
        The query, the name of the subset to search in (empty for all faces), and the outputs of the model if they were
        computed.
    """
    outputs = None if recognizer is None else find_model_outputs(view, recognizer)
    st.subheader("Show")
    which = st.pills(
        "Which faces",
        ["All", *_SUSPICIOUS, "Marked"],
        default="All",
        required=True,
        key="which",
        bind="query-params",
        on_change=first_page,
        help="Suspicious: more speaks against the label than for it, by votes, "
        "copies, blankness and, where asked, the model.",
    )
    chosen: dict[str, Any] = {
        "suspicious": _SUSPICIOUS.get(which),
        "corrected": True if which == "Marked" else None,
        "labels": _pills("Label", LABELS, "label"),
        "splits": _pills("Split", view.faces.splits, "split"),
        "seen": _pills("Most people saw", _answers(findings), "seen_as") if findings.votes is not None else (),
    }
    active = st.container()
    with st.expander("More filters", icon=":material/tune:"):
        subset = _subset(view)
        chosen |= _folded(view, findings, outputs, recognizer)
    with active:
        _active_filters()
    st.subheader("Order and size")
    return Query(**chosen, **_order(outputs)), subset, outputs


def first_page() -> None:
    """Go to the first page of the gallery, since other faces are shown now."""
    st.session_state["page"] = 1


def _folded(
    view: DataView, findings: Findings, outputs: ModelOutputs | None, recognizer: EmotionRecognizer | None
) -> dict[str, Any]:
    """Draw the filters that are folded away; return them by their names in a query."""
    chosen: dict[str, Any] = {
        "tags": _multiselect("Tags", list(saved_selections(view.info).tags), "tags"),
        "problems": _multiselect("Problems", problem_keys(findings), "problems", TITLES),
    }
    if findings.votes is not None and has_votes(findings.votes).any():
        chosen["label_votes"] = _range("Votes for the label", "votes", "label_votes")
    chosen["issue_score"] = _percent_range("Issue score", "score")
    chosen["brightness"] = _range("Brightness", "brightness", "brightness")
    chosen["contrast"] = _range("Contrast", "contrast", "contrast")
    if recognizer is None:
        return chosen
    if outputs is None:
        st.caption(f"**Prediction and confidence** can be chosen once {recognizer.name} has looked at all faces.")
        st.button(
            "Ask the model",
            icon=":material/search:",
            key="look_filters",
            on_click=look_with_model,
            args=(view, recognizer),
            disabled=model_looking(view, recognizer),
        )
        return chosen
    chosen["predicted"] = _pills(f"{recognizer.name} predicts", LABELS, "predicted")
    chosen["confidence"] = _percent_range("Confidence of the prediction", "confidence")
    return chosen


def _order(outputs: ModelOutputs | None) -> dict[str, Any]:
    orders = _ORDERS if outputs is None else _ORDERS | _CONFIDENCE_ORDERS
    order = st.selectbox(
        "Order",
        list(orders),
        key="order",
        bind="query-params",
        on_change=first_page,
        label_visibility="collapsed",
    )
    return {"order": orders[order], "seed": _shuffle() if order == "Shuffled" else 0}


def _active_filters() -> None:
    """Say which of the folded filters are set, with a button that takes them off."""
    unset = ((), [], "", None)
    values = {key: st.session_state.get(key) for key in _FOLDED}
    active = [_FOLDED[key] for key, value in values.items() if value not in (*unset, _WHOLE.get(key))]
    if active:
        st.caption(f"Also filtered by {', '.join(active)}.")
        st.button("Reset these", icon=":material/filter_alt_off:", key="reset_filters", on_click=_reset)


def _reset() -> None:
    for key in _FOLDED:
        if key in st.session_state:
            st.session_state[key] = _WHOLE.get(key, "" if key == "subset" else [])
    first_page()


def _subset(view: DataView) -> str:
    names = ["", *saved_selections(view.info).subsets]
    _drop_unknown("subset", names)
    return st.selectbox(
        "Subset",
        names,
        key="subset",
        bind="query-params",
        format_func=lambda name: name or "All faces",
        on_change=first_page,
        help="A subset that was saved with Tag or save.",
    )


def _range(title: str, key: str, name: str) -> Range | None:
    low, high = _slider(title, key, "%d")
    if (low, high) == _WHOLE[key]:
        return None
    return float(low), min(float(high), RANGES[name][1])


def _percent_range(title: str, key: str) -> Range | None:
    low, high = _slider(title, key, "%d %%")
    return None if (low, high) == (0, 100) else (low / 100, high / 100)


def _slider(title: str, key: str, text: str) -> tuple[int, int]:
    least, most = _WHOLE[key]
    return st.slider(title, least, most, (least, most), format=text, key=key, bind="query-params", on_change=first_page)


def _pills(title: str, options: Sequence[str], key: str) -> tuple[str, ...]:
    chosen = st.pills(title, options, selection_mode="multi", key=key, bind="query-params", on_change=first_page)
    return tuple(chosen)


def _multiselect(
    title: str, options: Sequence[str], key: str, titles: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    _drop_unknown(key, options)
    chosen = st.multiselect(
        title,
        options,
        key=key,
        bind="query-params",
        placeholder="Any" if options else "None yet",
        format_func=lambda name: titles[name] if titles else name,
        disabled=not options,
        on_change=first_page,
    )
    return tuple(chosen)


def _drop_unknown(key: str, options: Sequence[str]) -> None:
    """Let go of chosen values that were deleted or renamed since."""
    value = st.session_state.get(key)
    if isinstance(value, list):
        st.session_state[key] = [name for name in value if name in options]
    elif value is not None and value not in options:
        st.session_state[key] = options[0]


def _answers(findings: Findings) -> list[str]:
    voted = findings.votes is None or has_votes(findings.votes).all()
    return [*LABELS, OTHER] if voted else [*LABELS, OTHER, NOT_VOTED]


def _shuffle() -> int:
    """Draw the number that names a shuffle, so that an address shows the same faces to everyone."""
    return st.number_input("Shuffle number", 0, 9999, 1, key="shuffle", bind="query-params", on_change=first_page)


def position(rows: np.ndarray, shown: np.ndarray, before: int, total: int) -> str:
    """Say how many faces there are and which of them are shown.

    >>> position(np.arange(1213), np.arange(120), 0, 35887)
    '**1,213 faces** of 35,887 · 1 to 120'
    """
    if len(rows) == 0:
        return "**No faces**"
    of = "" if len(rows) == total else f" of {total:,}"
    return f"**{count_text(len(rows), 'face')}**{of} · {before + 1:,} to {before + len(shown):,}"
