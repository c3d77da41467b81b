"""Tag the faces on show or save them as a subset, and the list of all tags and subsets in the sidebar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from fer_core.audit.search import Query
from fer_core.audit.selections import LONGEST_NAME, Selections
from fer_core.errors import DataError
from fer_core.formats import count_text
from fer_core.ui.components.access import operator_only
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.selections import (
    change,
    now,
    rows_of_saved_subset,
    save_query,
    save_rows,
    saved_selections,
    tag_faces,
    untag_faces,
)

_FILTERS, _LIST = "The filters", "A fixed list"


@dataclass(frozen=True)
class SavedQuery:
    """The filters on show, as they can be saved.

    Attributes:
        query: what they ask for.
        outputs: name of the model outputs that are known, as `outputs_name` returns it; may be empty.
        model: name of that model.
    """

    query: Query
    outputs: str = ""
    model: str = ""


def collect(view: DataView, key: str, choices: Mapping[str, np.ndarray], query: SavedQuery | None = None) -> None:
    """Draw a button that opens the forms to tag faces and to save them.

    Args:
        view: the data set.
        key: of the widgets.
        choices: rows by what they are called, such as "This page, 120 faces".
        query: the filters that find the last of the choices; None where no query does.
    """
    with st.popover("Tag or save", icon=":material/label:", width="content"):
        names = list(choices)
        chosen = st.radio("Faces", names, key=f"{key}_faces") if len(names) > 1 else names[0]
        if len(names) == 1:
            st.markdown(names[0])
        rows = choices[chosen if chosen in choices else names[0]]
        _tag_form(view, key, rows)
        _subset_form(view, key, rows, query)


def selections_panel(view: DataView) -> None:
    """Show in the sidebar which tags and subsets there are; each can be renamed and deleted."""
    selections = saved_selections(view.info)
    with st.sidebar, st.expander("Tags and subsets", icon=":material/label:"):
        if not selections.tags and not selections.subsets:
            st.caption("None yet. Tag faces, or save those on show as a subset, in Browse and on the Map.")
        for name, rows in selections.tags.items():
            _entry(view, f"{name} · {count_text(len(rows), 'face')}", "tag", name)
        if selections.subsets:
            st.caption("Subsets")
        for name in selections.subsets:
            _entry(view, f"{name} · {_subset_text(view, name)}", "subset", name)
        st.button(
            "Undo",
            icon=":material/undo:",
            disabled=not selections.log,
            key="selections_undo",
            on_click=change,
            args=(view, Selections.undo),
            help="Takes back the last change to tags and subsets.",
        )


def _tag_form(view: DataView, key: str, rows: np.ndarray) -> None:
    with st.form(f"{key}_tag_form", border=False):
        st.selectbox(
            "Tag",
            list(saved_selections(view.info).tags),
            index=None,
            accept_new_options=True,
            placeholder="Choose a tag or type a new one",
            key=f"{key}_tag",
        )
        with st.container(horizontal=True):
            for title, icon, act in (("Tag", "label", tag_faces), ("Take off", "label_off", untag_faces)):
                st.form_submit_button(
                    title, icon=f":material/{icon}:", on_click=_with_tag, args=(act, view, f"{key}_tag", rows)
                )


def _with_tag(act: Callable[[DataView, np.ndarray, str], None], view: DataView, key: str, rows: np.ndarray) -> None:
    act(view, rows, st.session_state[key] or "")


def _subset_form(view: DataView, key: str, rows: np.ndarray, query: SavedQuery | None) -> None:
    with st.form(f"{key}_subset_form", border=False):
        st.text_input("Subset", placeholder="Name", max_chars=LONGEST_NAME, key=f"{key}_subset")
        if query is not None:
            st.radio(
                "Save",
                [_FILTERS, _LIST],
                captions=["All faces that match, also later", "The faces chosen above, whatever changes"],
                key=f"{key}_kind",
            )
        st.form_submit_button("Save subset", icon=":material/save:", on_click=_save, args=(view, key, rows, query))


def _save(view: DataView, key: str, rows: np.ndarray, query: SavedQuery | None) -> None:
    name = st.session_state[f"{key}_subset"]
    if query is not None and st.session_state[f"{key}_kind"] == _FILTERS:
        save_query(view, name, query.query, query.outputs, query.model)
    else:
        save_rows(view, name, rows)


def _subset_text(view: DataView, name: str) -> str:
    subset = saved_selections(view.info).subsets[name]
    kind = "fixed list" if subset.query is None else "filters"
    try:
        return f"{count_text(len(rows_of_saved_subset(view, name)), 'face')}, {kind}"
    except DataError:
        return f"{kind}; {subset.model} must be asked again"


def _entry(view: DataView, text: str, kind: str, name: str) -> None:
    """Draw a line with a menu to rename and delete a tag or a subset."""
    key = f"{kind}_{name}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.text(text, width="stretch")
        with st.popover("", icon=":material/more_horiz:", help=f"Rename or delete {name}", width="content"):
            with st.form(f"{key}_form", border=False):
                st.text_input("Name", name, max_chars=LONGEST_NAME, key=f"{key}_name")
                st.form_submit_button("Rename", on_click=_rename, args=(view, kind, name, f"{key}_name"))
            if operator_only("Deleting", f"{key}_token"):
                st.button(
                    f"Delete the {kind}",
                    icon=":material/delete:",
                    key=f"{key}_delete",
                    on_click=_delete,
                    args=(view, kind, name),
                )


def _rename(view: DataView, kind: str, name: str, key: str) -> None:
    new_name = st.session_state[key]
    if kind == "tag":
        change(view, lambda selections: selections.rename_tag(name, new_name, now()))
    else:
        change(view, lambda selections: selections.rename_subset(name, new_name, now()))


def _delete(view: DataView, kind: str, name: str) -> None:
    if kind == "tag":
        change(view, lambda selections: selections.delete_tag(name, now()))
    else:
        change(view, lambda selections: selections.delete_subset(name, now()))
