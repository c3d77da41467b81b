"""Who may delete, train and read server paths, by the configured address and the operator's token."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.errors import SettingsError
from fer_core.settings import operator_token
from fer_core.ui.components import access

TOKEN = "a-token-of-some-length"


def guarded():
    import streamlit as st

    from fer_core.ui.components.access import operator_only

    if operator_only("Deleting", "token"):
        st.markdown("deleted")


@pytest.fixture
def server(monkeypatch):
    """A function that sets the server's address and the operator's token, and draws a guarded page."""

    def draw(address, token=""):
        monkeypatch.setattr(st, "get_option", {"server.address": address}.get)
        monkeypatch.setenv("FER_OPERATOR_TOKEN", token)
        return AppTest.from_function(guarded, default_timeout=30).run()

    return draw


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        (None, False),
        ("", False),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("localhost.example.org", False),
        ("unix:///run/app.sock", False),
    ],
)
def test_only_loopback_addresses_are_this_computer_s_own(address, local):
    assert access.is_loopback(address) is local


def test_the_app_is_configured_to_listen_on_localhost_alone():
    assert st.get_option("server.address") == "localhost"


def test_on_localhost_nothing_is_asked(server):
    page = server("localhost")
    assert [element.value for element in page.markdown] == ["deleted"]
    assert not page.info


@pytest.mark.parametrize("address", [None, "0.0.0.0"])
def test_open_to_a_network_without_a_token_it_is_off_and_says_why(server, address):
    page = server(address)
    assert not page.markdown and not page.text_input
    assert "Deleting is off because this server is open to a network" in page.info[0].value


@pytest.mark.parametrize("address", ["localhost", "0.0.0.0"])  # a proxy may stand in front of localhost
def test_where_a_token_is_set_only_that_token_unlocks(server, address):
    page = server(address, TOKEN)
    assert not page.markdown
    page.text_input(key="token").set_value("another-token-of-some-length")
    page.button[0].click().run()
    assert not page.markdown and "not the token" in page.caption[0].value
    page.text_input(key="token").set_value(TOKEN)
    page.button[0].click().run()
    assert [element.value for element in page.markdown] == ["deleted"]
    assert not page.text_input and page.session_state["token"] == ""


def test_a_token_that_could_be_guessed_locks_even_localhost(server):
    page = server("localhost", "short")
    assert not page.markdown and "at least 16 characters" in page.info[0].value
    with pytest.raises(SettingsError, match="got 5"):
        operator_token({"FER_OPERATOR_TOKEN": "short"})
