"""Running pages in Streamlit's own test harness."""

import pytest
import streamlit as st
import streamlit_webrtc.component

from tests.apptest import lean_harness

__all__ = ["bundled_alone", "lean_harness", "webrtc_without_a_server"]


@pytest.fixture
def webrtc_without_a_server(monkeypatch):
    """Let `webrtc_streamer` run in AppTest, whose stand-in for the server has no sessions to look up."""
    monkeypatch.setattr(streamlit_webrtc.component, "get_this_session_info", lambda: None)


@pytest.fixture
def bundled_alone(monkeypatch, tmp_path):
    """A server just started on a machine that keeps nothing yet: the bundled models alone."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_MODEL", raising=False)
    st.cache_resource.clear()
