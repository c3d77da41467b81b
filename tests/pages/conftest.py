"""Running pages in Streamlit's own test harness."""

import pytest
import streamlit_webrtc.component


@pytest.fixture
def webrtc_without_a_server(monkeypatch):
    """Let `webrtc_streamer` run in AppTest, whose stand-in for the server has no sessions to look up."""
    monkeypatch.setattr(streamlit_webrtc.component, "get_this_session_info", lambda: None)
