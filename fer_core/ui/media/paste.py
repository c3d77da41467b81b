"""Pictures pasted on the page: a script hands them to the file uploader, which treats them as if they were chosen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

PASTE_HELP = "A copied picture can also be pasted with Ctrl+V, on a Mac with ⌘V."

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "fer_paste",
    html='<p role="status"></p>',
    css=(_HERE / "paste.css").read_text(encoding="utf-8"),
    js=(_HERE / "paste.js").read_text(encoding="utf-8"),
)


def paste_into(uploader: str) -> None:
    """Let files be pasted into the file uploader with this key from now on, wherever the focus is on the page."""
    _component(key=f"{uploader}_paste", data={"uploader": uploader})
