"""The top of the data set page: which data set, what it is, its four figures; and at the end, all about it."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import BinaryIO

import numpy as np
import streamlit as st

from fer_core.audit.corrections import Corrections
from fer_core.audit.findings import Findings
from fer_core.audit.import_jobs import AddVotes, HoldOutSplits
from fer_core.audit.summary import Summary
from fer_core.cache import clear_cache
from fer_core.data.importing import resolve_path
from fer_core.data.split_names import TEST_SPLITS
from fer_core.data.splits import missing_splits
from fer_core.data.store import StoreInfo, delete_store
from fer_core.errors import DataError
from fer_core.ui.components.access import is_operator, operator_only
from fer_core.ui.components.data_view import DataView, default_store, shown_name
from fer_core.ui.dataset.export import export_cleaned, show_export
from fer_core.ui.dataset.source import SELECTED, VOTES_SENTENCE, add_data, is_reading, start_data_job

_FAILED = "delete_failed"
# What an uploaded table of votes is called in messages.
_VOTES_FILE = "The uploaded file"


def choose_data(infos: list[StoreInfo]) -> StoreInfo:
    """Draw the page's title with the choice of a data set and the way to add one; return the chosen."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("Data set", width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            names = [info.name for info in infos]
            gone = _settle_choice(names, default=names[default_store(infos)])
            name = st.selectbox(
                "Data set",
                names,
                key=SELECTED,
                format_func=lambda name: shown_name(infos[names.index(name)]),
                width=260,
                label_visibility="collapsed",
            )
            add_data()
    st.query_params[SELECTED] = name
    if gone:
        st.warning(f"There is no data set named {gone} here any more. This is {name}.", icon=":material/search_off:")
    if failed := st.session_state.pop(_FAILED, ""):
        st.error(failed, icon=":material/error:")
    return infos[names.index(name)]


def _settle_choice(names: list[str], default: str) -> str:
    """Choose the data set that was chosen before or that the address names; return its name if it is gone."""
    wanted = st.session_state.get(SELECTED) or st.query_params.get(SELECTED, "")
    st.session_state[SELECTED] = wanted if wanted in names else default
    return "" if wanted in names else wanted


def damaged(info: StoreInfo) -> None:
    """Say why a data set cannot be opened and offer to delete it."""
    st.error(f"**{info.name} cannot be opened.** {info.problem}", icon=":material/error:")
    _delete_button(info)


def describe(view: DataView) -> None:
    """Show what the data set is in a line, and its four figures."""
    info = view.info
    parts = [
        f"{info.rows:,} faces",
        ", ".join(view.faces.splits),
        *_classes(view),
        f"from {info.source.name}",
    ]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if info.source.synthetic:
            st.badge("Drawn by this program, not FER-2013", icon=":material/draw:", color="orange")
        st.html(f'<div class="fer-status">{"".join(f"<span>{escape(part)}</span>" for part in parts)}</div>')
    if missing := missing_splits(view.faces):
        _offer_hold_out(view, missing)
    st.html(f'<div class="fer-figures">{"".join(_figure(*figure) for figure in _figures(view))}</div>')


def _classes(view: DataView) -> list[str]:
    """Say whether there are votes; of a data set with other classes than the seven, how many it has."""
    if view.faces.has_emotions:
        return ["with FER+ votes" if view.info.votes else "no FER+ votes"]
    return [f"{len(view.class_names)} classes of its own"]


def about(view: DataView, corrections: Corrections) -> None:
    """Fold all that is known of the data set's origin, and what can be done to it, into the page's end."""
    info = view.info
    with st.expander(f"About {shown_name(info)}", icon=":material/info:"):
        created = datetime.fromisoformat(info.created)
        st.markdown(
            f"Read from **{info.source.name}** on {created:%d %B %Y, %H:%M} UTC. Its content has the SHA-256 "
            f"`{info.hash}`."
        )
        for note in info.source.notes:
            st.markdown(f"- {note}")
        if info.source.unreadable:
            st.dataframe({"Images that could not be read": info.source.unreadable}, height=200)
        with st.container(horizontal=True):
            if not info.source.synthetic and view.faces.has_emotions:
                words = "Replace FER+ votes" if info.votes else "Add FER+ votes"
                with st.popover(words, icon=":material/how_to_vote:"):
                    _votes_form(info)
            export_cleaned(view, corrections)
            _delete_button(info)
        show_export()


def _figures(view: DataView) -> list[tuple[str, str, str]]:
    """Return four figures as (value, label, what it means)."""
    summary, findings = view.summary, view.findings
    agreement = summary.agreement
    tests = int(np.sum(findings.in_splits(*TEST_SPLITS)))
    leaked = len(findings.found_exactly(*TEST_SPLITS))
    return [
        (f"{view.info.rows:,}", "faces", _purposes(findings)),
        _balance(summary),
        ("–", "labels confirmed", _not_confirmed(view))
        if agreement is None
        else (
            f"{agreement * 100:.1f} %",
            "labels confirmed",
            "Of the faces voted on, the label got more votes than any other answer.",
        ),
        (
            f"{leaked / tests * 100:.1f} %" if tests else "–",
            "test faces in training",
            f"{leaked:,} of {tests:,} are there too, the same to the last pixel."
            if tests
            else "There are no test faces.",
        ),
    ]


def _not_confirmed(view: DataView) -> str:
    if not view.faces.has_emotions:
        return "Votes (FER+) exist for FER-2013's seven expressions only, not for these classes."
    if view.info.source.synthetic:
        return "Nobody was asked about drawings."
    return "Not known without FER+ votes. Add them at the end of this page."


def _purposes(findings: Findings) -> str:
    """Say how many faces there are to train on, to choose between models and to test."""
    counts = {
        "to train on": np.sum(findings.in_splits("Training")),
        "for validation": np.sum(findings.in_splits("Validation")),
        "to test with": np.sum(findings.in_splits(*TEST_SPLITS)),
    }
    return ", ".join(f"{count:,} {purpose}" for purpose, count in counts.items() if count) + "."


def _balance(summary: Summary) -> tuple[str, str, str]:
    if summary.imbalance is None:
        return "–", "balance", "All faces have the same label."
    ratio, most, least = summary.imbalance
    if most == least:
        return "1.0 : 1", "balance", "All classes have equally many faces."
    return f"{ratio:.1f} : 1", f"{most} to {least}", "The most frequent class against the rarest."


def _figure(value: str, label: str, meaning: str) -> str:
    return (
        f'<section class="fer-figure"><strong>{escape(value)}</strong><span>{escape(label)}</span>'
        f'<p class="fer-note">{escape(meaning)}</p></section>'
    )


def _offer_hold_out(view: DataView, missing: tuple[str, ...]) -> None:
    """Say which splits a data set lacks and what for, and offer to hold them out of Training."""
    with (
        st.container(border=True, key="data_mixed"),
        st.container(horizontal=True, vertical_alignment="center", gap="medium"),
    ):
        st.markdown(f":material/info: {_lacking(view, missing)}", width="stretch")
        st.button(
            "Hold out 10 %",
            key="data_hold_out",
            disabled=is_reading(),
            on_click=start_data_job,
            args=(HoldOutSplits(view.info.name),),
            help="A copy of this data set, in which 10 % of each class's training images are "
            f"{' and 10 % '.join(missing)}; the same ones every time. Copies and near copies stay together.",
        )


def _lacking(view: DataView, missing: tuple[str, ...]) -> str:
    if "Test" in missing:
        purposes = {"Validation": "to choose between models", "Test": "to measure them"}
        needed = ", and ".join(f"{split}, {purposes[split]}" for split in missing)
        return f"**Nothing is held out here.** Hold out a part of Training: {needed}."
    tests = int(np.sum(view.findings.in_splits("Test")))
    if not view.faces.has_emotions:
        return (
            f"**There is no Validation split.** Keep the {tests:,} test images for the end: to choose between models, "
            "hold out a part of Training."
        )
    return (
        f"**PublicTest and PrivateTest cannot be told apart here.** All {tests:,} test images are one split, Test, as "
        "in the original's own protocol. To choose between models, hold out a part of Training instead."
    )


def _votes_form(info: StoreInfo) -> None:
    st.caption(VOTES_SENTENCE)
    path, label = "", "Table with the votes"
    if is_operator():
        label = "Or upload it"
        path = st.text_input(
            "File on the machine that runs this page", placeholder="/home/me/fer2013new.csv", key="votes_path"
        )
    upload = st.file_uploader(label, max_upload_size=64, key="votes_upload")
    if st.button("Add votes", disabled=is_reading() or not (path.strip() or upload), key="votes_add"):
        _start_votes(info, path, upload)


def _start_votes(info: StoreInfo, path: str, upload: BinaryIO | None) -> None:
    if upload is not None:
        started = start_data_job(AddVotes(info.name, _VOTES_FILE, uploaded=True), {_VOTES_FILE: upload})
    else:
        try:
            started = start_data_job(AddVotes(info.name, str(resolve_path(path).resolve())))
        except DataError as error:
            st.error(str(error), icon=":material/error:")
            return
    if started:
        st.rerun()


def _delete_button(info: StoreInfo) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        if not operator_only("Deleting", "data_delete_token"):
            return
        st.markdown(
            f"Delete **{shown_name(info)}** and the list of faces marked in it from this machine? The file or "
            "folder it was read from stays as it is."
        )
        st.button(f"Delete {shown_name(info)}", key="data_delete", on_click=_delete, args=(info,))


def _delete(info: StoreInfo) -> None:
    try:
        delete_store(info.name)
    except DataError as error:
        st.session_state[_FAILED] = str(error)
        return
    if info.hash:
        clear_cache(info.hash)
    st.session_state.pop(SELECTED, None)
    st.toast(f"{info.name} is deleted.")
