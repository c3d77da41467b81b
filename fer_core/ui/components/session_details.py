"""The fields for what a researcher says of a session, before it is recorded and afterwards."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import SessionError
from fer_core.sessions.details import Details

_PARTICIPANT_HELP = "A code, never a name: all that is kept of a participant is found, exported and deleted by it."


def details_fields(now: Details, key: str, persist: bool = False) -> Details | str:
    """Draw the fields; return what they say, or why it cannot be kept.

    Args:
        now: what they begin with.
        key: begins the keys of the fields.
        persist: whether what is typed outlives a change of page.
    """
    keeps = "session" if persist else None
    columns = st.columns(3)
    study = columns[0].text_input("Study", now.study, key=f"{key} study", persist_state=keeps)
    participant = columns[1].text_input(
        "Participant", now.participant, key=f"{key} participant", persist_state=keeps, help=_PARTICIPANT_HELP
    )
    condition = columns[2].text_input("Condition", now.condition, key=f"{key} condition", persist_state=keeps)
    title = st.text_input("Name", now.title, key=f"{key} title", persist_state=keeps)
    tags = st.text_input("Tags", ", ".join(now.tags), key=f"{key} tags", persist_state=keeps, help="With commas.")
    notes = st.text_area("Notes", now.notes, key=f"{key} notes", persist_state=keeps)
    try:
        return Details(study.strip(), participant.strip(), condition.strip(), title, notes, tuple(tags.split(",")))
    except SessionError as error:
        return str(error)
