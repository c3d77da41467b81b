"""How a viewer comes into a page and leaves the live one."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def require_app() -> None:
    """Start again through app.py if this page runs without it.

    Streamlit takes a folder called `pages` for an app of the old kind, whose pages run alone, until
    `st.navigation` has run once in the server. The page would stand there without the app's style and
    menu. Address and query stay as they are.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def leave_live() -> None:
    """Forget the stream of a viewer who looks at something else; whoever comes back to it begins a new one."""
    st.session_state.pop("live_session", None)
