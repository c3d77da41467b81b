"""Tags and saved subsets of a data set on the pages: read, changed by widgets, and the faces of a subset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import streamlit as st

from fer_core.audit import analysis
from fer_core.audit.corrections_file import corrections_path
from fer_core.audit.search import Query
from fer_core.audit.selections import Selections
from fer_core.audit.selections_file import change_selections, read_selections, selections_path
from fer_core.audit.subsets import rows_of_subset
from fer_core.data.store import StoreInfo
from fer_core.errors import DataError, FerError
from fer_core.formats import count_text
from fer_core.ui.components.data_view import DataView

_FAILED = "selections_failed"


def saved_selections(info: StoreInfo) -> Selections:
    """Return the tags and subsets of a data set; a file that cannot be read counts as none (see `explain_failure`)."""
    try:
        return _read(info.name, info.hash, info.rows, _stamp_of(selections_path(info.name)))
    except DataError:
        return Selections(info.hash, info.rows)


def explain_failure(info: StoreInfo) -> None:
    """Say on the page why the last change failed, or why the file of tags and subsets cannot be read."""
    if failed := st.session_state.pop(_FAILED, ""):
        st.error(failed, icon=":material/error:")
    try:
        _read(info.name, info.hash, info.rows, _stamp_of(selections_path(info.name)))
    except DataError as error:
        st.error(f"**The tags and subsets cannot be read.** {error}", icon=":material/error:")


def rows_of_saved_subset(view: DataView, name: str) -> np.ndarray:
    """Return the rows of a subset, int64 (m,) and ascending.

    Raises:
        DataError: its query cannot be answered any more.
    """
    subset = saved_selections(view.info).subsets[name]
    return _rows(
        view.info.name,
        view.info.hash,
        view.info.created,
        name,
        _stamp_of(selections_path(view.info.name)),
        _stamp_of(corrections_path(view.info.name)),
        analysis.near_stamp(view.info.hash),
        analysis.outputs_stamp(view.info.hash, subset.outputs) if subset.outputs else None,
        _view=view,
    )


def tag_faces(view: DataView, rows: Sequence[int], name: str, toast: bool = True) -> None:
    """Tag faces; the callback of a widget. `toast` says it in the corner, which a dialog would cover."""
    if change(view, lambda selections: selections.tag(rows, name, now())) and toast:
        st.toast(f"{count_text(len(rows), 'face')} tagged {name.strip()}. Undo is in the sidebar.")


def untag_faces(view: DataView, rows: Sequence[int], name: str, toast: bool = True) -> None:
    """Take a tag off faces; the callback of a widget."""
    if change(view, lambda selections: selections.untag(rows, name, now())) and toast:
        st.toast(f"{name} taken off {count_text(len(rows), 'face')}. Undo is in the sidebar.")


def save_rows(view: DataView, name: str, rows: Sequence[int]) -> None:
    """Save a fixed list of faces as a subset; the callback of a widget."""
    if change(view, lambda selections: selections.save_rows(name, rows, now())):
        st.toast(f"Subset {name.strip()} saved with {count_text(len(rows), 'face')}.")


def save_query(view: DataView, name: str, query: Query, outputs: str, model: str) -> None:
    """Save a query as a subset; the callback of a widget."""
    if change(view, lambda selections: selections.save_query(name, query, now(), outputs=outputs, model=model)):
        st.toast(f"Subset {name.strip()} saved with its filters.")


def change(view: DataView, how: Callable[[Selections], Selections]) -> bool:
    """Change the file on disk and return whether that went well; if not, `explain_failure` says why."""
    try:
        change_selections(view.info.name, view.info.hash, len(view.faces), how)
    except FerError as error:
        st.session_state[_FAILED] = str(error)
        return False
    return True


def now() -> datetime:
    """Return the time that a change is stamped with."""
    return datetime.now(UTC)


def _stamp_of(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is written anew; None if it is not there."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(name: str, data: str, n: int, stamp: tuple[int, int] | None) -> Selections:
    return read_selections(name, data, n)


@st.cache_resource(max_entries=16, show_spinner=False)
def _rows(
    data: str,
    data_hash: str,
    created: str,
    name: str,
    selections: tuple[int, int] | None,
    corrections: tuple[int, int] | None,
    near_stamp: int | None,
    outputs_stamp: int | None,
    _view: DataView,
) -> np.ndarray:
    saved = saved_selections(_view.info)
    return rows_of_subset(data, _view.faces, saved, saved.subsets[name])
