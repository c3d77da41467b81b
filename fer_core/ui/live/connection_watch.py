"""Saying that the server is gone, which only the browser can: the page would go on showing its last state.

A small script compares the status line, which a running stream draws anew twice a second, with the one before. It
asks the server nothing as long as that changes.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "fer_connection_watch", js=(Path(__file__).parent / "connection_watch.js").read_text(encoding="utf-8")
)


def watch_connection() -> None:
    """Watch from now on, on this page, whether a running stream still hears from the server.

    After some four seconds of silence the page says so. When the server is back, the notice and the camera's button,
    which this viewer had pressed in the same tab, are pressed again; so is the button when the stream alone broke off.
    """
    with st.container(key="connection_watch"):
        _component(key="watch")
