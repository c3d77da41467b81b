"""Who may read server paths, delete and train: everybody on the server's own computer; over a network, the operator.

It is decided by the address that the server was told to listen on. What a request says of itself, its Host header or
the address it comes from, proves nothing: behind a proxy every visitor comes from the proxy's address.
"""

from __future__ import annotations

import hmac
import ipaddress

import streamlit as st

from fer_core.errors import SettingsError
from fer_core.settings import operator_token

_OPERATOR = "is_operator"
_OWN_SESSIONS = "own_sessions"
_FORM_PX = 420
_OPEN_COMMAND = "FER_OPERATOR_TOKEN=… streamlit run app.py --server.address 0.0.0.0"


def is_loopback(address: str | None) -> bool:
    """Return whether a server with this configured address can be reached from its own computer only.

    Args:
        address: a host name or an IP address; None for every interface.
    """
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address((address or "").strip("[]")).is_loopback
    except ValueError:  # another name, or a Unix socket: whoever stands in front of it may be open to anybody
        return False


def is_open_to_network() -> bool:
    """Return whether other computers may reach this server."""
    return not is_loopback(st.get_option("server.address"))


def is_operator() -> bool:
    """Return whether this viewer may do what concerns everybody who uses this computer.

    Where a token is set it is always needed, so that one works behind a proxy on the same computer too.
    """
    try:
        token_needed = bool(operator_token())
    except SettingsError:
        return False
    return bool(st.session_state.get(_OPERATOR)) if token_needed else not is_open_to_network()


def operator_only(action: str, key: str) -> bool:
    """Return whether this viewer may do something; if not, say why and ask for the token that allows it.

    Args:
        action: begins the sentence, such as "Deleting".
        key: of the widgets, different for each place on a page.
    """
    if is_operator():
        return True
    st.info(_reason(action), icon=":material/lock:")
    if _token():
        with st.form(f"{key}_form", border=False, width=_FORM_PX):
            st.text_input("Operator's token", type="password", key=key, autocomplete="current-password")
            st.form_submit_button("Unlock", icon=":material/lock_open:", on_click=_enter, args=(key,))
        if st.session_state.get(_OPERATOR) is False:
            st.caption("This is not the token that the server was started with.")
    return False


def keep_own_session(name: str) -> None:
    """Note that this viewer recorded a session."""
    st.session_state.setdefault(_OWN_SESSIONS, set()).add(name)


def may_see_session(name: str) -> bool:
    """Return whether this viewer may see a recorded session: its own, and all of them where the app is not open."""
    return is_operator() or name in st.session_state.get(_OWN_SESSIONS, ())


def network_help() -> None:
    """Say, folded away, how the app is opened to other computers and what that means."""
    with st.expander("Use it from other computers", icon=":material/lan:"):
        state = (
            "This server can be reached from other computers."
            if is_open_to_network()
            else "This server listens on its own computer only."
        )
        st.markdown(
            f"{state} This opens it to the network:\n\n```sh\n{_OPEN_COMMAND}\n```\n\n"
            "Everybody who reaches it can then use it: camera, pictures, data sets, results. Reading files of this "
            "computer by path, other people's sessions, deleting and training need the token, entered once per "
            "browser session; without a token they are off. Browsers give the camera only to pages on HTTPS or on "
            "localhost, so put a proxy with a certificate in front. A proxy on the same computer makes everybody look "
            "local: set the token there too."
        )


def _token() -> str:
    try:
        return operator_token()
    except SettingsError:
        return ""


def _reason(action: str) -> str:
    try:
        if operator_token():
            return f"{action} needs the operator's token."
    except SettingsError as error:
        return f"{action} is off: {error}"
    return (
        f"{action} is off because this server is open to a network and has no operator's token. "
        "Start it with one in FER_OPERATOR_TOKEN, or on localhost."
    )


def _enter(key: str) -> None:
    given = str(st.session_state.get(key, "")).strip()
    st.session_state[key] = ""
    st.session_state[_OPERATOR] = hmac.compare_digest(given.encode(), _token().encode())
