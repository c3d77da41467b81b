"""Sending a stream's scores to other programs, folded away: by WebSocket, and to the Lab Streaming Layer."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlsplit

import streamlit as st

from fer_core.errors import FerError
from fer_core.formats import count_text
from fer_core.live.lsl import MAX_FACES, SCORES, LslChoice, LslOutput, lsl_unavailable
from fer_core.live.outputs import Output
from fer_core.live.session import LiveSession
from fer_core.live.websocket import Feed, shared_server
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.settings import Settings
from fer_core.ui.components.access import is_loopback, operator_only
from fer_core.ui.components.timers import draw_every

_Output = TypeVar("_Output", Feed, LslOutput)
_EVERY_S = 2.0
_SWITCHED_OFF = "It was switched off."
CLIENT = """import json
from websockets.sync.client import connect

with connect("{url}") as stream:
    for text in stream:
        message = json.loads(text)
        if message["type"] == "frame":
            for face in message["faces"]:
                if face["valid"]:
                    print(message["utc"], face["face"], face["label"], face["scores"])
"""


def other_programs(session: LiveSession, settings: Settings, visible: bool) -> None:
    """Offer to send the stream's scores and markers to other programs, and say where they can be had.

    Args:
        session: of this viewer.
        settings: of the server.
        visible: whether anybody can see the page.
    """
    sent_before = bool(session.sending.outputs)
    # Its title stays the same: with another one it would be another panel, and folded.
    panel = st.expander("Scores for other programs", icon=":material/cast:", key="other_programs", on_change="rerun")
    every_s = _EVERY_S if panel.open and visible else None
    with panel:
        st.caption("Each frame's scores and each marker, as they come. No picture is sent.")
        websocket, lsl = st.columns(2, gap="large")
        with websocket:
            _websocket(session, settings, every_s)
        with lsl:
            _lsl(session, every_s)
        if problem := session.sending.problem:
            st.error(f"Sending broke off and was begun anew: {problem}", icon=":material/error:")
    if bool(session.sending.outputs) != sent_before:
        st.rerun()  # markers are offered while something is sent


def _websocket(session: LiveSession, settings: Settings, every_s: float | None) -> None:
    wanted = st.toggle(
        "WebSocket", key="send_websocket", persist_state="session", help="JSON, for programs of any kind."
    )
    feed = _present(session, Feed)
    if not wanted:
        _drop(session, feed)
        return
    host, port = settings.scores_address
    try:
        server = shared_server(host, port)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    if feed is None:
        feed = server.open()
        session.sending.use(feed)
    url = server.url(feed, urlsplit(st.context.url or "").hostname or "localhost")
    st.code(url, language=None, wrap_lines=True)
    reach = (
        "Only programs on the computer that runs this app reach it."
        if is_loopback(host)
        else (f"It listens on {host}: whoever in the network knows the address can read these scores.")
    )
    st.caption(f"{reach} The address is this page's alone; keep it to yourself.")
    draw_every(every_s, _clients, feed)
    st.caption("A program that reads it, in Python:")
    st.code(CLIENT.format(url=url), language="python")


def _clients(feed: Feed) -> None:
    st.caption(f"{count_text(feed.clients, 'program')} connected." if feed.clients else "No program is connected.")


def _lsl(session: LiveSession, every_s: float | None) -> None:
    wanted = st.toggle(
        "Lab Streaming Layer",
        key="send_lsl",
        persist_state="session",
        help="For LabRecorder and other programs that take it, beside EEG, gaze and the like.",
    )
    output = _present(session, LslOutput)
    if not wanted:
        _drop(session, output)
        return
    if problem := lsl_unavailable():
        st.info(problem, icon=":material/extension_off:")
        return
    if not operator_only("Sending to the Lab Streaming Layer", "send_lsl_token"):
        _drop(session, output)
        return
    with st.container(horizontal=True):
        faces = st.number_input("Faces", 1, MAX_FACES, 1, key="lsl_faces", width=120, persist_state="session")
        kind = st.selectbox(
            "Scores",
            list(SCORES),
            format_func=lambda name: SCORES[name].capitalize(),
            key="lsl_kind",
            persist_state="session",
        )
    recorded = session.settings.recorded
    if recorded is None:
        return
    output = _lsl_output(session, output, LslChoice(int(faces), kind), recorded)
    st.code("\n".join(output.names), language=None)
    st.caption(
        "Every program in this computer's network can find and read these streams. The first face is the one with the "
        "lowest number in the picture."
    )
    draw_every(every_s, _listeners, output)


def _lsl_output(
    session: LiveSession, output: LslOutput | None, choice: LslChoice, recorded: RecordedSettings
) -> LslOutput:
    if output and output.choice == choice:
        output.use(recorded)
        return output
    _drop(session, output)
    output = LslOutput(f"fer-{session.id[:4]}", choice, recorded)
    session.sending.use(output)
    return output


def _listeners(output: LslOutput) -> None:
    st.caption("A program reads it." if output.listened_to else "No program reads it.")


def _present(session: LiveSession, kind: type[_Output]) -> _Output | None:
    return next((each for each in session.sending.outputs if isinstance(each, kind)), None)


def _drop(session: LiveSession, output: Output | None) -> None:
    if output:
        session.sending.drop(output, _SWITCHED_OFF)
        session.sending.problem = ""
