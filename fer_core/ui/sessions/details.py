"""What a researcher says of a session, what it was recorded with, and what changed on the way."""

from __future__ import annotations

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import SessionError
from fer_core.sessions.details import Details
from fer_core.sessions.store import Session
from fer_core.sessions.studies import answer_text, consents_of
from fer_core.ui.components.session_details import details_fields


def details_view(session: Session) -> None:
    """Show and change the details of a session; show its settings and consents."""
    with st.form("session_details", border=False):
        details = details_fields(session.details, f"details {session.name}")
        if st.form_submit_button("Save details", icon=":material/save:"):
            _save(session, details)
    for consent in consents_of(session):
        with st.expander(f"Consent · {answer_text(consent)} · {consent.answered_utc[:19].replace('T', ' ')} UTC"):
            st.text(consent.text)
    events = [event for event in session.events() if event["kind"] != "baseline"]
    if events:
        st.subheader("What changed while it was recorded")
        for event in events:
            st.text(f"{clock(event['time_s'])}  {_event_text(event)}")
    if session.imported_from:
        st.caption(f"Imported from {session.imported_from}, which stays as it is.")


def _save(session: Session, details: Details | str) -> None:
    if isinstance(details, str):
        st.error(details, icon=":material/error:")
        return
    try:
        session.describe(details)
    except SessionError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun()


def _event_text(event: dict) -> str:
    content = event["content"]
    if event["kind"] == "stream":
        return f"a new stream, from frame {content['first_frame']:,} and face {content['first_face']} on"
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in content.items())
