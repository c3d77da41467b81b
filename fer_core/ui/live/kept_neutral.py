"""A participant's neutral baseline over sessions: kept if that is asked for, used in the next one, removed."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from fer_core.errors import FerError
from fer_core.formats import count_text
from fer_core.live.session import LiveSession
from fer_core.recognition.baseline import Baseline
from fer_core.sessions.details import Details
from fer_core.sessions.kept_baselines import KeptBaseline, forget_baseline, keep_baseline, kept_baseline
from fer_core.ui.components.access import is_operator
from fer_core.ui.live.session_details import next_details

logger = logging.getLogger(__name__)

_KEPT, _PROBLEM, _OUTCOME = "kept_neutral", "kept_neutral_problem", "kept_neutral_outcome"


@dataclass(frozen=True, eq=False)
class _Kept:
    """What is kept of a participant, and why it is not used; empty if it is."""

    study: str
    participant: str
    kept: KeptBaseline
    mismatch: str


def offer_kept(session: LiveSession) -> None:
    """Let the baseline that is kept of the participant named in the details hold."""
    try:
        found, problem = _find(session), ""
    except FerError as error:
        found, problem = None, f"The kept neutral baseline cannot be read: {error}"
    st.session_state[_KEPT], st.session_state[_PROBLEM] = found, problem
    session.baselines.offer(found.kept.baseline if found and not found.mismatch else None)


def kept_note() -> None:
    """Say, where there is one, where the kept baseline comes from and whether it is used."""
    found: _Kept | None = st.session_state.get(_KEPT)
    if found:
        use = "not used, see Set neutral" if found.mismatch else "used for whoever is alone in the picture"
        st.caption(f"Neutral baseline of {found.participant}, from {found.kept.baseline.origin}: {use}.")
    elif problem := st.session_state.get(_PROBLEM):
        st.caption(problem)


def keep_choice(session: LiveSession) -> Callable[[Baseline], None] | None:
    """Draw the switch that keeps what is set next, and what is kept; return what keeps it, None if nothing is to be.

    Nothing is drawn where the details name no participant.
    """
    details, recorded = _details(session), session.settings.recorded
    if not details.participant or recorded is None:
        return None
    keep = st.toggle(
        f"Keep for {details.participant}",
        key="neutral_keep",
        persist_state="session",
        help="It is then used in the next sessions of this participant, with the same model and labels, until you "
        "remove it; and exported and deleted with the participant's data.",
    )
    outcome: dict[str, str] = st.session_state.setdefault(_OUTCOME, {})
    if text := outcome.get(details.participant):
        st.caption(text)
    if found := st.session_state.get(_KEPT):
        _what_is_kept(found)
    if not keep:
        return None
    began_s, origin = session.baselines.state.began_s, _origin(session)
    return lambda baseline: _keep(details, _since(baseline, began_s), recorded.model, origin, outcome)


def kept_text(baseline: Baseline) -> str:
    """Say where a baseline of an earlier session comes from."""
    return f"Kept from {baseline.origin}, where {count_text(baseline.frames, 'frame')} set it."


def _find(session: LiveSession) -> _Kept | None:
    details, recorded = _details(session), session.settings.recorded
    before: _Kept | None = st.session_state.get(_KEPT)
    kept = kept_baseline(details.study, details.participant) if details.participant and recorded else None
    if kept is None or recorded is None:
        return None
    if before and (before.study, before.participant, before.kept.kept_utc) == (
        details.study,
        details.participant,
        kept.kept_utc,
    ):
        kept = before.kept  # the same object, so that it is the same offer
    mismatch = kept.mismatch(recorded.model, recorded.card.labels)
    return _Kept(details.study, details.participant, kept, mismatch)


def _details(session: LiveSession) -> Details:
    if session.recorder and not session.recorder.state.ended:
        return session.recorder.session.details
    details = next_details()
    return details if isinstance(details, Details) else Details()


def _origin(session: LiveSession) -> str:
    if session.recorder and not session.recorder.state.ended:
        return session.recorder.session.name
    return f"a stream of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def _since(baseline: Baseline, began_s: float) -> Baseline:
    """Return a baseline with times that count from the beginning of its stream."""
    return dataclasses.replace(baseline, first_s=baseline.first_s - began_s, last_s=baseline.last_s - began_s)


def _keep(details: Details, baseline: Baseline, model: Mapping[str, Any], origin: str, outcome: dict[str, str]) -> None:
    """Keep a baseline; called in a thread of its own."""
    try:
        keep_baseline(details.study, details.participant, baseline, model, origin)
        outcome[details.participant] = f"Kept for {details.participant}."
    except FerError as error:
        logger.warning("A neutral baseline was not kept: %s", error)
        outcome[details.participant] = f"It was not kept: {error}"


def _what_is_kept(found: _Kept) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{found.participant}: {kept_text(found.kept.baseline).lower()}", width="stretch")
        if is_operator():
            st.button("Remove", key="neutral_forget", type="tertiary", on_click=_remove, args=(found,))
    if found.mismatch:
        st.caption(found.mismatch)


def _remove(found: _Kept) -> None:
    try:
        forget_baseline(found.study, found.participant)
        st.session_state[_KEPT] = None
        st.session_state.get(_OUTCOME, {}).pop(found.participant, None)
    except FerError as error:
        st.session_state.setdefault(_OUTCOME, {})[found.participant] = str(error)
