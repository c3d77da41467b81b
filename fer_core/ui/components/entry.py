"""How a viewer comes into a page and leaves the live one."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests, ScriptRequestType


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
    """Forget the stream of a viewer who looks at something else, and end what it gave; who comes back begins anew."""
    session = st.session_state.pop("live_session", None)
    if session:
        session.sending.close("The viewer has left the page.")
        if session.recorder:
            session.recorder.close()


def keep_page_changes() -> None:
    """See to it that a page asked for by a click is not lost to a timer.

    Streamlit joins requests that wait for the script to begin, and takes the page of the newest. A fragment's timer
    asks for the page that its viewer is about to leave, so on a busy server a click on a link did nothing now and then.
    """
    original = ScriptRequests._request_rerun_locked
    if getattr(original, "keeps_page_changes", False):
        return

    def request_rerun(requests: ScriptRequests, new: RerunData) -> bool:
        if new.is_auto_rerun and requests._state is ScriptRequestType.RERUN:
            waiting = requests._rerun_data
            new = replace(
                new,
                page_script_hash=waiting.page_script_hash,
                page_name=waiting.page_name,
                query_string=waiting.query_string,
            )
        return original(requests, new)

    request_rerun.keeps_page_changes = True  # type: ignore[attr-defined]
    ScriptRequests._request_rerun_locked = request_rerun
