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
    height = f' style="min-height:{height_px}px"' if height_px else ""
    st.html(f'<div class="fer-empty"{height}><strong>{escape(title)}</strong><p>{escape(text)}</p></div>')
