"""The live page's button that sets a face's neutral baseline, its countdown, and what was set."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.formats import count_text
from fer_core.live.baselines import COLLECT_S, FORGET_S, BaselineKeeper, BaselineState, Collecting
from fer_core.live.session import LiveSession
from fer_core.recognition.baseline import EXPECTED_NEUTRAL, NEUTRAL, Baseline
from fer_core.ui.components.face_cards import face_name
from fer_core.ui.components.timers import draw_every
from fer_core.ui.live.kept_neutral import keep_choice, kept_text, offer_kept

Keep = Callable[[Baseline], None] | None

_MAX_FACES = 6
_WIDTH_PX = 330
_NOTE = (
    "The median of these scores becomes the face's zero. Corrected scores then stand beside the raw ones, on its card "
    "and in recordings. They assume that the face did look neutral and is biased alike whatever it shows."
)
_NOTE_HELP = (
    f"A face that was out of sight for over {FORGET_S:.0f} seconds has to be set again. Neutral becomes at least "
    f"{EXPECTED_NEUTRAL * 100:.0f} % for the median, the other expressions at most an even share of the rest; a face "
    "that scores as neutral anyway is not changed."
)


def neutral_bar(session: LiveSession, playing: bool) -> None:
    """Offer to set the neutral baseline of each face in sight, show the countdown, and what was set."""
    draw_every(None, _bar, session, playing)


def _bar(session: LiveSession, playing: bool) -> None:
    with st.container(key="live_neutral", width="content"):
        popover = st.popover(
            "Set neutral",
            icon=":material/sentiment_neutral:",
            key="neutral",
            disabled=not playing,
            help=None if playing else "Start the camera first.",
            on_change="rerun",
        )
        offer_kept(session)
    if popover.open and playing:  # closed, it costs nothing
        with popover, st.container(width=_WIDTH_PX):
            draw_every(0.5, _baselines, session)


def _baselines(session: LiveSession) -> None:
    state, result = session.baselines.state, session.snapshot().result
    if result is None:
        st.write("The first frames are on their way.")
    elif NEUTRAL not in (labels := result.prediction.labels):
        st.write(f"This model scores no {NEUTRAL}, only {', '.join(labels)}.")
    else:
        if state.collecting:
            _countdown(session, state.collecting)
        else:
            st.write(f"Look neutral for {COLLECT_S:.0f} seconds.")
            faces = st.container()
            keep = keep_choice(session)
            with faces:
                _faces(session, sorted(result.track_id.tolist()), state, keep)
        st.caption(_NOTE, help=_NOTE_HELP)


def _countdown(session: LiveSession, collecting: Collecting) -> None:
    name, done = face_name(collecting.track_id), 1 - collecting.remaining_s / COLLECT_S
    todo = f"{math.ceil(collecting.remaining_s)} s"
    st.progress(done, f"{name}: look neutral · {todo} · {count_text(collecting.frames, 'frame')}")
    if collecting.problem:
        st.caption(f"Waiting: the face is {collecting.problem}.")
    st.button("Cancel", key="neutral_cancel", on_click=session.baselines.cancel)


def _faces(session: LiveSession, track_ids: list[int], state: BaselineState, keep: Keep) -> None:
    if state.lost is not None:
        st.caption(f"{face_name(state.lost)} was lost before the {COLLECT_S:.0f} seconds were over. Set it again.")
    if not track_ids:
        st.caption("No face in the picture.")
    for track_id in track_ids[:_MAX_FACES]:
        _face(session.baselines, track_id, state, keep)


def _face(keeper: BaselineKeeper, track_id: int, state: BaselineState, keep: Keep) -> None:
    baseline = state.baselines.get(track_id)
    label = f"Set {face_name(track_id)} {'again' if baseline else 'neutral'}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(label, key=f"neutral_set_{track_id}", on_click=keeper.start, args=(track_id, keep))
        if baseline:
            key = f"neutral_clear_{track_id}"
            st.button("Clear", key=key, type="tertiary", on_click=keeper.clear, args=(track_id,))
    if baseline:
        st.caption(_used(baseline, state.began_s))


def _used(baseline: Baseline, began_s: float) -> str:
    """Say which seconds of the stream a baseline was made of, or where else it comes from."""
    if baseline.origin:
        return kept_text(baseline)
    first, last = clock(baseline.first_s - began_s), clock(baseline.last_s - began_s)
    return f"Set by {count_text(baseline.frames, 'frame')}, {first} to {last} after the camera started."
