"""A video's strongest moments, and the script that lets player, curves and moments move together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.emotions import class_colors
from fer_core.formats import percent
from fer_core.media.portraits import Moment

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "fer_player",
    html='<div class="moments" role="group" aria-label="Strongest moments"></div>'
    '<button class="ask" hidden>Look closer at the faces shown now</button>',
    css=(_HERE / "player.css").read_text(encoding="utf-8"),
    js=(_HERE / "player.js").read_text(encoding="utf-8"),
)


def moments_of_video(
    moments: Sequence[Moment],
    labels: Sequence[str],
    offset_s: float,
    on_ask: Callable[[float], None] | None = None,
) -> None:
    """Show when each expression was strongest; a click goes there, as one on the curves of `course_of_faces` does.

    The player is the video in the container `media_player`.

    Args:
        moments: in the order of time.
        labels: names of the scores.
        offset_s: time of the video at which its copy begins, seconds.
        on_ask: called with the time of the video, seconds, at which the faces that the player shows are asked for;
            they cannot be if None.
    """

    def asked() -> None:
        if on_ask and (time_s := st.session_state["media_moments"].asked) is not None:
            on_ask(float(time_s))

    colors = class_colors(tuple(labels))
    data = [
        {
            "expression": moment.expression,
            "time_s": moment.time_s,
            "text": f"{clock(moment.time_s)} · {percent(moment.score, 0)}",
            "color": colors[moment.expression],
            "picture": moment.picture,
        }
        for moment in moments
    ]
    version = hashlib.sha256(repr(data).encode()).hexdigest()
    _component(
        key="media_moments",
        data={"moments": data, "offset_s": offset_s, "version": version, "asking": on_ask is not None},
        on_asked_change=asked,
    )
