"""What to do before the camera runs, and where it stops on its way: page, camera, permission, network, first picture.

Only the browser knows, and streamlit-webrtc shows its raw error names, so a small script on the page follows what its
frame does, and explains. While all is well it shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_CSS = """
#box, #folded { margin-top: 0.4rem; font-family: var(--st-font); line-height: 1.45; color: var(--st-text-color); }
#box { border: 1px solid var(--st-border-color); border-left: 4px solid var(--st-orange-color, #b26a00);
  border-radius: var(--st-base-radius); padding: 0.7rem 0.9rem; background: var(--st-secondary-background-color); }
[hidden] { display: none !important; }
p { margin: 0.15rem 0 0; }
ul { list-style: none; margin: 0.5rem 0 0; padding: 0; max-width: 22rem; font-size: 0.9rem; }
li { display: flex; align-items: baseline; gap: 0.5rem; }
li::before { content: "○"; width: 1rem; }
li.done::before { content: "✓"; }
li.failed { font-weight: 600; }
li.failed::before { content: "✕"; }
li span { margin-left: auto; font-variant-numeric: tabular-nums; }
button { margin-top: 0.6rem; padding: 0.35rem 0.9rem; font: inherit; color: inherit; cursor: pointer;
  background: transparent; border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
button:hover { border-color: currentColor; }
summary { cursor: pointer; font-size: 0.9rem; opacity: 0.78; }
#hint { margin: 0.4rem auto 0; max-width: 30rem; text-align: center; font: 0.9rem/1.5 var(--st-font);
  color: var(--st-text-color); opacity: 0.75; }
"""

_component = st.components.v2.component(
    "fer_connection_steps",
    html="<div id=steps><p id=hint>Press Start camera and allow it when the browser asks. "
    "The video goes to the computer that runs this page and nowhere else.</p>"
    "<div id=box role=alert hidden><strong></strong><p></p><ul></ul><button hidden>Try again</button></div>"
    "<details id=folded hidden><summary></summary><ul></ul></details></div>",
    css=_CSS,
    js=(Path(__file__).parent / "connection_steps.js").read_text(encoding="utf-8"),
)


def connection_steps(
    playing: bool, ice_servers: Sequence[Mapping[str, Any]], camera: bool = True, wanted: bool = False
) -> None:
    """Show what to press; where the camera does not start or takes long, show which step, why, and what to do.

    Args:
        playing: whether the stream runs, or is about to.
        ice_servers: those of the stream; with a TURN server among them another advice is given.
        camera: whether the browser's camera is shown; what the server itself shows needs fewer steps.
        wanted: whether that is to be shown.
    """
    urls = [url for server in ice_servers for url in _urls(server)]
    turn = any(url.startswith("turn") for url in urls)
    _component(key="connection_steps", data={"playing": playing, "turn": turn, "camera": camera, "wanted": wanted})


def _urls(server: Mapping[str, Any]) -> list[str]:
    return server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
