"""Markers while a stream is recorded or sent: a name, two buttons, and the keys 1 to 9. Nothing is there otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.live.session import LiveSession
from fer_core.sessions.markers import Marker

_HANDLED = "marker_presses_handled"
_OPEN = "marker_open_ranges"
_LAST = "marker_last"
_UNNAMED = "Marker"
_KEYS_HELP = (
    "One name a line: the first for key 1, the second for key 2, up to 9. A key puts a marker of its name where it is "
    "pressed; with Shift it begins a range, and with Shift again ends it. Keys do nothing while you type."
)

_keys = st.components.v2.component(
    "fer_marker_keys", js=(Path(__file__).parent / "marker_keys.js").read_text(encoding="utf-8")
)


def marker_bar(session: LiveSession) -> None:
    """Offer markers while the stream is recorded, or its scores are sent to other programs."""
    if (session.recorder and not session.recorder.state.ended) or session.sending.outputs:
        st.fragment(_bar)(session)


def _bar(session: LiveSession) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="live_markers"):
        st.text_input("Marker", key="marker_name", placeholder="Name", label_visibility="collapsed", width=180)
        st.button("Mark", icon=":material/flag:", key="marker_point", on_click=_point, args=(session,))
        open_range = _open_ranges(session).get("button")
        st.button(
            "End range" if open_range else "Begin range",
            icon=":material/start:",
            key="marker_range",
            on_click=_toggle_range,
            args=(session, "button", _name(), "button"),
        )
        with st.popover("Keys", icon=":material/keyboard:", key="marker_keys_popover"):
            st.text_area(
                "Names of the keys", key="marker_key_names", help=_KEYS_HELP, height=220, persist_state="session"
            )
            st.caption("1 to 9: a marker. Shift + 1 to 9: begin a range, or end it.")
        if text := _last_text(session):
            st.caption(text, width="content")
    _keys(key="marker_keys", on_presses_change=lambda: _take_presses(session))


def _name() -> str:
    return str(st.session_state.get("marker_name", "")).strip() or _UNNAMED


def _key_name(digit: int) -> str:
    names = str(st.session_state.get("marker_key_names", "")).splitlines()
    return (names[digit - 1].strip() if digit <= len(names) else "") or f"Key {digit}"


def _point(session: LiveSession) -> None:
    st.session_state[_LAST] = session.sending.mark(_name(), "button", session.recorder)


def _open_ranges(session: LiveSession) -> dict[str, Marker]:
    """Return the ranges of this recording, or of this stream, that have no end yet, by what began them."""
    by_session = st.session_state.setdefault(_OPEN, {})
    recorder = session.recorder
    return by_session.setdefault(recorder.session.name if recorder and not recorder.state.ended else session.id, {})


def _toggle_range(session: LiveSession, name: str, label: str, source: str, ago_s: float = 0.0) -> None:
    ranges, sending = _open_ranges(session), session.sending
    if begun := ranges.pop(name, None):
        st.session_state[_LAST] = sending.end_range(begun, session.recorder, ago_s)
    else:
        st.session_state[_LAST] = ranges[name] = sending.mark(label, source, session.recorder, ago_s, True)


def _take_presses(session: LiveSession) -> None:
    presses: Sequence[Mapping[str, Any]] = (st.session_state.get("marker_keys") or {}).get("presses") or []
    handled: set[str] = st.session_state.setdefault(_HANDLED, set())
    newest_ms = max((press["at_ms"] for press in presses), default=0)
    for press in presses:
        if press["id"] in handled:
            continue
        handled.add(press["id"])
        # The newest has just come; those before it, sent again with it, came so much earlier.
        ago_s, key = (newest_ms - press["at_ms"]) / 1000, f"key {press['digit']}"
        if press["range"]:
            _toggle_range(session, key, _key_name(press["digit"]), key, ago_s)
        else:
            st.session_state[_LAST] = session.sending.mark(_key_name(press["digit"]), key, session.recorder, ago_s)


def _last_text(session: LiveSession) -> str:
    """Say what was marked last, and which ranges are still open."""
    last = st.session_state.get(_LAST)
    open_ranges = _open_ranges(session).values()
    parts = [f"{each.label} since {clock(each.time_s)}" for each in open_ranges]
    if last and last not in open_ranges:
        end = f" to {clock(last.end_s)}" if last.end_s is not None else ""
        parts.insert(0, f"{last.label} at {clock(last.time_s)}{end}")
    return " · ".join(parts)
