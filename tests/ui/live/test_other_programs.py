"""The live page's switches that send scores to other programs."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from fer_core.live.session import LiveSession, LiveSettings
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.settings import Settings
from fer_core.ui.components import access
from fer_core.ui.live import other_programs as module
from tests.sessions.recording import CARD, frame

IMAGE = np.zeros((48, 64, 3), np.uint8)


class Analyzer:
    def __init__(self, settings):
        self.settings, self.index = settings, -1

    def process(self, image_bgr, time_s):
        self.index += 1
        return frame(self.index)


def part():
    import streamlit as st

    from fer_core.ui.live.markers import marker_bar
    from fer_core.ui.live.other_programs import other_programs

    marker_bar(st.session_state.session)
    other_programs(st.session_state.session, st.session_state.settings, True)


@pytest.fixture
def live():
    live = LiveSession(Analyzer, LiveSettings(recorded=RecordedSettings(CARD)))
    yield live
    live.sending.close("over")
    live.end()


@pytest.fixture
def at(live):
    at = AppTest.from_function(part)
    at.session_state["session"], at.session_state["settings"] = live, Settings()
    return at.run()


class Streams:
    """Stands in for streams of the Lab Streaming Layer, which the tests of `fer_core.live.lsl` read."""

    listened_to = False

    def __init__(self, name, choice, settings):
        self.names, self.choice, self.used, self.closed = [f"{name}-face1"], choice, [settings], False

    def use(self, settings):
        self.used.append(settings)

    def add(self, frame):
        pass

    def end_stream(self):
        pass

    def close(self, reason):
        self.closed = True


@pytest.fixture
def streams(monkeypatch):
    monkeypatch.setattr(module, "LslOutput", Streams)
    monkeypatch.setattr(module, "lsl_unavailable", lambda: "")


def test_nothing_is_sent_until_a_viewer_wants_it(at, live):
    assert not at.exception and not at.code and not at.button
    live.process(IMAGE)
    assert live.sending.outputs == ()


def test_the_address_that_is_shown_works_until_it_is_switched_off(at, live):
    at.toggle(key="send_websocket").set_value(True).run()
    address, program = (code.value for code in at.code)
    assert not at.exception and re.fullmatch(r"ws://127\.0\.0\.1:\d+/[\w-]{32}", address)
    assert "Only programs on the computer" in " ".join(caption.value for caption in at.caption)
    assert [button.key for button in at.button] == ["marker_point", "marker_range"]  # markers are sent too
    with connect(address) as client:
        live.process(IMAGE)
        assert [json.loads(client.recv(timeout=30))["type"] for _ in range(2)] == ["stream", "frame"]
        assert at.run().code[0].value == address
        at.toggle(key="send_websocket").set_value(False).run()
        with pytest.raises(ConnectionClosed, match="switched off"):
            client.recv(timeout=30)
    assert not at.code and not at.button and address in program
    with pytest.raises(InvalidStatus), connect(address):
        pass


def test_the_program_that_is_shown_runs(at, live):
    at.toggle(key="send_websocket").set_value(True).run()
    program = at.code[1].value
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as running:
        (feed,) = live.sending.outputs
        end_s = time.monotonic() + 60
        while not feed.clients and time.monotonic() < end_s:
            time.sleep(0.02)
        live.process(IMAGE)
        live.end()
        words = running.communicate(timeout=60)[0]
    assert running.returncode == 0 and " 1 happy {'angry': " in words


def test_the_program_that_is_shown_is_that_of_the_documents_and_has_ten_lines():
    text = (Path(__file__).parents[3] / "docs" / "live-scores.md").read_text()
    assert module.CLIENT.format(url="ws://127.0.0.1:PORT/TOKEN") in text
    assert len(module.CLIENT.splitlines()) <= 10


def test_what_broke_off_is_said_and_begun_anew(at, live, monkeypatch):
    at.toggle(key="send_websocket").set_value(True).run()
    (first,) = live.sending.outputs
    monkeypatch.setattr(first, "add", lambda frame: 1 / 0)
    live.process(IMAGE)
    assert live.sending.outputs == () and live.snapshot().error is None
    at.run()
    assert "broke off and was begun anew: ZeroDivisionError" in at.error[0].value
    assert len(live.sending.outputs) == 1 and live.sending.outputs != (first,)
    assert not at.toggle(key="send_websocket").set_value(False).run().error


def test_an_address_that_is_taken_is_explained(at, live):
    at.toggle(key="send_websocket").set_value(True).run()
    port = int(at.code[0].value.split(":")[2].split("/")[0])
    at.toggle(key="send_websocket").set_value(False).run()
    at.session_state["settings"] = Settings(scores_address=("127.0.0.1", port))
    at.toggle(key="send_websocket").set_value(True).run()
    assert not at.exception and "FER_SCORES_ADDRESS" in at.error[0].value


def test_opened_to_a_network_it_says_who_can_read(at, live):
    at.session_state["settings"] = Settings(scores_address=("0.0.0.0", 0))
    at.toggle(key="send_websocket").set_value(True).run()
    assert at.code[0].value.startswith("ws://localhost:")
    assert any("whoever in the network knows the address" in caption.value for caption in at.caption)


def test_streams_of_the_lab_streaming_layer_follow_the_choice_and_the_model(at, live, streams):
    at.toggle(key="send_lsl").set_value(True).run()
    (first,) = live.sending.outputs
    assert at.code[0].value == first.names[0] and first.choice.faces == 1
    used = len(first.used)
    at.run()
    assert live.sending.outputs == (first,) and len(first.used) == used + 1
    at.number_input(key="lsl_faces").set_value(3).run()
    (second,) = live.sending.outputs
    assert first.closed and second.choice.faces == 3
    at.toggle(key="send_lsl").set_value(False).run()
    assert second.closed and not live.sending.outputs


def test_the_lab_streaming_layer_is_the_operators_where_the_app_is_open_to_a_network(at, live, streams, monkeypatch):
    monkeypatch.setattr(access, "is_open_to_network", lambda: True)
    at.toggle(key="send_lsl").set_value(True).run()
    assert not at.exception and "open to a network" in at.info[0].value and not live.sending.outputs


def test_what_is_missing_for_it_is_said(at, live, monkeypatch):
    monkeypatch.setattr(module, "lsl_unavailable", lambda: "It needs pylsl.")
    at.toggle(key="send_lsl").set_value(True).run()
    assert at.info[0].value == "It needs pylsl." and not live.sending.outputs
