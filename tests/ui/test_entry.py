from types import SimpleNamespace
from unittest.mock import Mock

from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.testing.v1 import AppTest

from fer_core.ui.components.entry import keep_page_changes


def requested(*requests: RerunData) -> RerunData:
    keep_page_changes()
    waiting = ScriptRequests()
    for request in requests:
        waiting.request_rerun(request)
    return waiting.on_scriptrunner_ready().rerun_data


def test_a_timer_does_not_undo_a_click_on_another_page():
    run = requested(
        RerunData(page_script_hash="sessions", query_string="row=1"),
        RerunData(page_script_hash="live", fragment_id="status", is_auto_rerun=True),
    )
    assert (run.page_script_hash, run.query_string, run.fragment_id_queue) == ("sessions", "row=1", [])


def test_a_later_click_and_a_timer_alone_get_what_they_ask_for():
    clicks = requested(RerunData(page_script_hash="sessions"), RerunData(page_script_hash="train"))
    assert clicks.page_script_hash == "train"
    timer = requested(RerunData(page_script_hash="live", fragment_id="status", is_auto_rerun=True))
    assert (timer.page_script_hash, timer.fragment_id_queue) == ("live", ["status"])


def test_a_recording_and_what_is_sent_end_when_its_viewer_goes_to_another_page():
    def other_page():
        from fer_core.ui.components.entry import leave_live

        leave_live()

    recorder, sending = Mock(), Mock()
    page = AppTest.from_function(other_page)
    page.session_state["live_session"] = SimpleNamespace(recorder=recorder, sending=sending)
    page.run()
    recorder.close.assert_called_once_with()
    sending.close.assert_called_once_with("The viewer has left the page.")
    assert "live_session" not in page.session_state
