"""Parts of a page that are drawn again on a timer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def draw_every(seconds: float | None, draw: Callable[..., None], *arguments: Any) -> None:
    """Draw a part of the page as a fragment, and draw it again every few seconds.

    The part has a container of its own that the whole page draws. Where a fragment's timer fires before the server
    has sent what a run of the whole page drew, Streamlit 1.67 drops what that run drew inside the fragment. Without the
    container everything that follows on the page would move up by one, and what is then drawn at a place that does not
    exist any more leaves the browser with a blank page.

    Args:
        seconds: between two drawings; None draws once per run of the page.
        draw: draws the part.
        arguments: what `draw` is called with.
    """
    with st.container():
        st.fragment(draw, run_every=seconds)(*arguments)
