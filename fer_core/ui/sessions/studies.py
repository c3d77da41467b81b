"""Studies and participants: consent text, retention, and all that is kept of one person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from fer_core.errors import SessionError
from fer_core.formats import count_text
from fer_core.sessions.kept_baselines import participants_with_baseline
from fer_core.sessions.retention import delete_expired
from fer_core.sessions.store import Session, sessions_database
from fer_core.sessions.studies import (
    Study,
    delete_participant,
    file_name_of,
    find_study,
    list_studies,
    participant_zip,
    save_study,
)
from fer_core.ui.components.access import operator_only
from fer_core.ui.sessions.rows import forget_rows

_NO_STUDY = "Sessions of no study"
_NEW = "A new study"


def studies_view(sessions: Sequence[Session]) -> None:
    """Show and change what belongs to a study, and export or delete a participant's data; for operators."""
    if not operator_only("Changing studies", "studies_token"):
        return
    study = _chosen_study()
    if study is not None:
        _settings(study)
    st.subheader("Participants")
    _participants(sessions)


def _chosen_study() -> Study | None:
    names = {study.name or _NO_STUDY: study.name for study in list_studies()}
    choice = st.selectbox("Study", [*names, _NEW], key="study", width=320)
    if choice != _NEW:
        return find_study(names[choice])
    name = st.text_input("Its name", key="study_new", max_chars=200, width=320).strip()
    return find_study(name) if name else None


def _settings(study: Study) -> None:
    with st.form(f"study {study.name}"):
        text = st.text_area(
            "Consent text",
            study.consent_text,
            help="Shown before a recording of this study, which needs a yes; kept with the answer. Empty: none is.",
        )
        days = st.number_input(
            "Days that sessions are kept; 0 for ever",
            0,
            36_500,
            study.retention_days or 0,
            help="Counted from the recording. Then they are deleted, when the sessions are next opened or looked at.",
        )
        saved = st.form_submit_button("Save study", icon=":material/save:")
    if not saved:
        return
    try:
        save_study(Study(study.name, text.strip(), int(days) or None))
        deleted = delete_expired(sessions_database())
    except SessionError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.toast(f"Saved. {count_text(len(deleted), 'session')} deleted." if deleted else "Saved.")
    st.rerun()


def _participants(sessions: Sequence[Session]) -> None:
    people = Counter(
        (session.details.study, session.details.participant) for session in sessions if session.details.participant
    )
    people.update(dict.fromkeys(participants_with_baseline(), 0))
    if not people:
        st.caption("No session has a participant yet.")
        return
    study, participant = st.selectbox(
        "Participant",
        sorted(people),
        key="participant",
        format_func=lambda who: f"{who[1]} · {who[0] or 'no study'} · {count_text(people[who], 'session')}",
        width=420,
    )
    with st.container(horizontal=True):
        st.download_button(
            "All data of this participant",
            lambda: participant_zip(study, participant),
            f"{file_name_of(participant)}.zip",
            "application/zip",
            icon=":material/download:",
            key="participant_zip",
            help="Of every session its table, metadata, markers and video, the answers to consent texts, a baseline.",
            on_click="ignore",
        )
        with st.popover("Delete all of it", icon=":material/delete:", key="participant_delete"):
            _delete(study, participant, people[study, participant])


def _delete(study: str, participant: str, sessions: int) -> None:
    st.write(
        f"Delete {count_text(sessions, 'session')} of **{participant}** with all answers to consent texts and what is "
        "kept? They cannot be brought back."
    )
    if st.button("Delete them", type="primary", key="participant_delete_sure"):
        folders = [each.imported_from for each in delete_participant(study, participant) if each.imported_from]
        forget_rows()
        if folders:
            st.session_state["folders_left"] = folders
        st.rerun()
    if folders := st.session_state.pop("folders_left", None):
        st.warning("Folders of earlier versions stay; delete them yourself: " + ", ".join(folders))
