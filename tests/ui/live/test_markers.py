"""The markers of the live page: there while it is recorded, by buttons and by keys."""

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.live.sending import Sending
from fer_core.sessions.database import open_database
from fer_core.sessions.markers import markers_of
from fer_core.ui.live import markers as module
from tests.sessions.recording import Clock, frame, recorder_of


class Live:
    id = "stream"
    recorder = None


def bar():
    import streamlit as st

    from fer_core.ui.live.markers import marker_bar

    marker_bar(st.session_state.live)


@pytest.fixture
def live(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    monkeypatch.delenv("FER_DATABASE_URL", raising=False)
    live = Live()
    live.clock = Clock()
    live.sending = Sending(live.clock)
    live.recorder = recorder_of(open_database(), live.clock)
    live.recorder.add(frame(0))
    yield live
    live.recorder.close(30)


@pytest.fixture
def at(live):
    at = AppTest.from_function(bar)
    at.session_state["live"] = live
    return at.run()


class Noting:
    """An output that notes the markers that it gets."""

    def __init__(self):
        self.noted = []

    def add(self, frame):
        pass

    def mark(self, marker):
        self.noted.append((marker.marker.label, marker.kind, marker.time_s, marker.marker.id))

    def close(self, reason):
        pass


def kept(live):
    live.recorder.close(30)
    return [(each.label, each.time_s, each.end_s, each.source) for each in markers_of(live.recorder.session)]


def test_buttons_put_points_and_ranges_with_a_name(live, at):
    live.clock.now_s += 1
    at.button(key="marker_point").click().run()
    at.text_input(key="marker_name").set_value("film").run()
    live.clock.now_s += 1
    at.button(key="marker_range").click().run()
    assert at.button(key="marker_range").label == "End range" and "film since 0:02" in at.caption[-1].value
    live.clock.now_s += 2
    at.button(key="marker_range").click().run()
    assert not at.exception and "film at 0:02 to 0:04" in at.caption[-1].value
    assert kept(live) == [("Marker", 1.0, None, "button"), ("film", 2.0, 4.0, "button")]
    assert not at.run().button


def test_keys_put_them_by_their_names_once_and_at_their_own_time(live, monkeypatch):
    state = {"marker_key_names": "smile\n\nfrown", "marker_keys": {}}
    monkeypatch.setattr(module.st, "session_state", state)
    live.clock.now_s += 5
    first = {"id": "a-1", "digit": 1, "range": False, "at_ms": 1000}
    state["marker_keys"] = {"presses": [first, {"id": "a-2", "digit": 3, "range": True, "at_ms": 1500}]}
    module._take_presses(live)
    live.clock.now_s += 1
    state["marker_keys"]["presses"].append({"id": "a-3", "digit": 3, "range": True, "at_ms": 2500})
    state["marker_keys"]["presses"].append({"id": "a-4", "digit": 2, "range": False, "at_ms": 2500})
    module._take_presses(live)
    assert kept(live) == [
        ("smile", 4.5, None, "key 1"),
        ("frown", 5.0, 6.0, "key 3"),
        ("Key 2", 6.0, None, "key 2"),
    ]


def test_without_a_recording_markers_are_offered_while_something_is_sent(live):
    live.recorder.close(30)
    live.sending.captured_s(live.clock.now_s, None)
    at = AppTest.from_function(bar)
    at.session_state["live"] = live
    assert not at.run().button
    output = Noting()
    live.sending.use(output)
    live.clock.now_s += 1
    at.run().button(key="marker_range").click().run()
    live.clock.now_s += 2
    at.button(key="marker_range").click().run()
    assert not at.exception and "Marker at 0:01 to 0:03" in at.caption[-1].value
    (begin, end) = output.noted
    assert (begin[:3], end[:3]) == (("Marker", "begin", 1.0), ("Marker", "end", 3.0)) and begin[3] == end[3]
    live.sending.drop(output, "")
    assert not at.run().button
