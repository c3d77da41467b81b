"""Whether anybody can see the page: what is redrawn twice a second need not be in a tab in the background."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_KEY = "page_visibility"

_component = st.components.v2.component(
    "fer_page_visibility", js=(Path(__file__).parent / "visibility.js").read_text(encoding="utf-8")
)


def page_visible() -> bool:
    """Return whether the page is in sight; a change reruns it."""
    hidden = bool((st.session_state.get(_KEY) or {}).get("hidden"))
    with st.container(key="page_visibility_watch"):
        _component(key=_KEY, data={"hidden": hidden}, on_hidden_change=lambda: None)
    return not hidden
