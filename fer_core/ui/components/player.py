"""A video on a page that moves together with its curves, its strongest moments and a cursor of the server's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.emotions import class_colors
from fer_core.formats import percent
from fer_core.media.portraits import Moment
from fer_core.sessions.video_faces import FramedFaces, VideoFace
from fer_core.ui.components.face_cards import face_name

PLAYER = "media_player"  # key of the container that a page draws its video in
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "fer_player",
    html='<div class="moments" role="group" aria-label="Strongest moments"></div>'
    '<button class="ask" hidden>Look closer at the faces shown now</button>',
    css=(_HERE / "player.css").read_text(encoding="utf-8"),
    js=(_HERE / "player.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class GoTo:
    """Where the server wants the player; it goes there when the number changes, and when it is drawn anew.

    Attributes:
        time_s: on the time axis of the curves, seconds.
        number: of the order.
    """

    time_s: float
    number: int = 0


@dataclass(frozen=True)
class Overlay:
    """The faces that are drawn over the video around the place where it is.

    Attributes:
        from_s: from when on these are all there are, on the time axis of the curves, seconds.
        to_s: until when.
        frames: of the analysed frames, in the order of time.
        labels: names of the scores.
    """

    from_s: float
    to_s: float
    frames: Sequence[FramedFaces]
    labels: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; boxes in ten-thousandths, a column of -1 for an uncertain face."""
        colors = class_colors(tuple(self.labels))
        return {
            "from_s": self.from_s,
            "to_s": self.to_s,
            "name": face_name(0).removesuffix("1"),
            "labels": [{"word": label, "color": colors[label]} for label in self.labels],
            "frames": [[round(frame.time_s, 3), [_face_json(face) for face in frame.faces]] for frame in self.frames],
        }


def _face_json(face: VideoFace) -> list[Any]:
    column = -1 if face.expression is None else face.expression
    return [face.face, *(round(1e4 * side) for side in face.box), column, round(100 * face.score)]


def link_player(
    offset_s: float,
    moments: Sequence[Moment] = (),
    labels: Sequence[str] = (),
    go_to: GoTo | None = None,
    on_time: Callable[[float], None] | None = None,
    on_ask: Callable[[float], None] | None = None,
    overlay: Overlay | None = None,
) -> None:
    """Let the video in the container `PLAYER` and the curves in the chart `course` move together.

    A line on the curves follows the video, and a click on the curves or on a moment goes there.

    Args:
        offset_s: time of the curves at which the video begins, seconds.
        moments: when each expression was strongest, in the order of time; they are shown as a strip of pictures.
        labels: names of the scores.
        go_to: where the player is sent; nothing is told to the server if None.
        on_time: called about once a second with where the video is, in the time of the curves, while that changes.
        on_ask: called with the same time where a button asks for the faces that are shown then; without it there is
            no button.
        overlay: the faces that are drawn over the video; none if None.
    """
    colors = class_colors(tuple(labels))
    strip = [
        {
            "expression": moment.expression,
            "time_s": moment.time_s,
            "text": f"{clock(moment.time_s)} · {percent(moment.score, 0)}",
            "color": colors[moment.expression],
            "picture": moment.picture,
        }
        for moment in moments
    ]
    version = hashlib.sha256(repr(strip).encode()).hexdigest()
    go = {"number": go_to.number, "time_s": go_to.time_s} if go_to else None
    key = "media_moments"

    def told() -> None:
        if on_time and (time_s := st.session_state[key].time_s) is not None:
            on_time(float(time_s))

    def asked() -> None:
        if on_ask and (time_s := st.session_state[key].asked) is not None:
            on_ask(float(time_s))

    _component(
        key=key,
        data={
            "moments": strip,
            "offset_s": offset_s,
            "version": version,
            "go": go,
            "asking": on_ask is not None,
            "overlay": overlay.to_json() if overlay else None,
        },
        on_time_s_change=told,
        on_asked_change=asked,
    )
