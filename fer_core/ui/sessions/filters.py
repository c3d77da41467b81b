"""Searching sessions: by words, study, participant, condition and tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from fer_core.formats import count_text
from fer_core.sessions.store import Session

_FEW = 2  # so many sessions need no search


def filtered(sessions: Sequence[Session]) -> list[Session]:
    """Offer a search, folded away; return the sessions that it leaves."""
    if len(sessions) < _FEW:
        return list(sessions)
    with st.expander("Search and filter", icon=":material/search:", key="session_search"):
        words = st.text_input("Words in name, notes or tags", key="session_words", persist_state="session")
        columns = st.columns(4)
        chosen = {
            name: columns[number].multiselect(name, _values(sessions, value_of), key=f"filter {name}")
            for number, (name, value_of) in enumerate(_FIELDS.items())
        }
        found = [session for session in sessions if _matches(session, words, chosen)]
        st.caption(f"{len(found):,} of {count_text(len(sessions), 'session')}.")
    return found


_FIELDS: dict[str, Callable[[Session], tuple[str, ...]]] = {
    "Study": lambda session: (session.details.study,),
    "Participant": lambda session: (session.details.participant,),
    "Condition": lambda session: (session.details.condition,),
    "Tags": lambda session: session.details.tags,
}


def _values(sessions: Sequence[Session], value_of: Callable[[Session], tuple[str, ...]]) -> list[str]:
    return sorted({value for session in sessions for value in value_of(session) if value})


def _matches(session: Session, words: str, chosen: dict[str, list[str]]) -> bool:
    details = session.details
    text = " ".join(
        (session.name, details.title, details.notes, details.study, details.participant, details.condition)
        + details.tags
    ).lower()
    return all(word in text for word in words.lower().split()) and all(
        not values or set(values) & set(_FIELDS[name](session)) for name, values in chosen.items()
    )
