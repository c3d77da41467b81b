"""What to do before the camera runs, and words for one that cannot: no HTTPS, no camera, access denied.

Only the browser knows which, and streamlit-webrtc shows its raw error names, so a small script
on the page asks and explains.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_CSS = """
[role=alert] { margin-top: 0.4rem; border: 1px solid var(--st-border-color);
  border-left: 4px solid var(--st-orange-color, #b26a00); border-radius: var(--st-base-radius);
  padding: 0.7rem 0.9rem; color: var(--st-text-color);
  background: var(--st-secondary-background-color); font-family: var(--st-font); line-height: 1.45; }
[hidden] { display: none; }
[role=alert] p { margin: 0.15rem 0 0; }
#hint { margin: 0.4rem auto 0; max-width: 30rem; text-align: center; font: 0.9rem/1.5 var(--st-font);
  color: var(--st-text-color); opacity: 0.75; }
"""

_component = st.components.v2.component(
    "fer_camera_check",
    html="<p id=hint>Press Start camera and allow it when the browser asks. "
    "The video goes to the computer that runs this page and nowhere else.</p>"
    "<div role=alert hidden><strong></strong><p></p></div>",
    css=_CSS,
    js=(Path(__file__).parent / "camera_check.js").read_text(encoding="utf-8"),
)


def camera_check() -> None:
    """Show what to press; where the camera cannot start, show why not and what to do instead."""
    _component(key="camera_check")
