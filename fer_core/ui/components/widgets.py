"""Small parts that several pages share."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

LOGO = Path(__file__).parent / "logo.svg"
_STYLE = Path(__file__).parent / "style.css"


def apply_style() -> None:
    """Add the shared looks to the page; call it once per run, before anything is drawn."""
    st.html(_STYLE)


def empty_state(title: str, text: str, height_px: int | None = None) -> None:
    """Say what will be here and what to do for it, in the room it will take.

    Args:
        title: what will be here.
        text: why it is not yet, and the one thing to do.
        height_px: least height in pixels; None where a stylesheet gives the height.
    """
    st.html(empty_state_html(title, text, height_px))


def empty_state_html(title: str, text: str, height_px: int | None = None) -> str:
    """Return what `empty_state` draws, for `st.html`."""
    height = f' style="min-height:{height_px}px"' if height_px else ""
    return f'<div class="fer-empty"{height}><strong>{escape(title)}</strong><p>{escape(text)}</p></div>'


def page_link(page: str, label: str, icon: str) -> None:
    """Draw a link to another page: the browser goes there by itself.

    In a fragment, and on a page with fragments that have a timer, this is the only safe way: where a timer's request
    arrives just after `st.switch_page`, Streamlit 1.67 makes both one run, of the page that was to be left.

    Args:
        page: the page's script, such as "pages/live.py".
        label: what the link says.
        icon: a Material symbol, such as ":material/videocam:".
    """
    st.page_link(page, label=label, icon=icon)
