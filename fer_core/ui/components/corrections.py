"""Faces that a person marked to be left out or labelled otherwise: kept as a CSV beside the data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import streamlit as st

from fer_core.audit.corrections import EXCLUDE, Corrections, from_csv, load_corrections
from fer_core.audit.corrections_file import change_corrections, corrections_path
from fer_core.errors import DataError, FerError
from fer_core.ui.components.data_view import DataView, shown_name

_FAILED = "marks_failed"


def read_corrections(view: DataView) -> Corrections:
    """Return the corrections of a data set; none if nothing was marked yet.

    Raises:
        DataError: the list on disk is broken or about other data.
    """
    path = corrections_path(view.info.name)
    if not path.exists():
        return Corrections(view.info.hash, len(view.faces), class_names=view.class_names)
    status = path.stat()
    return _read(str(path), view.info.hash, len(view.faces), view.class_names, status.st_mtime_ns, status.st_size)


def mark_faces(view: DataView, rows: Sequence[int], mark: str, reason: str, toast: bool = True) -> None:
    """Mark faces as wrong, or take their marks back; the callback of a widget.

    Args:
        view: the data set.
        rows: the faces; all of them are one step for Undo.
        mark: "exclude", a label that they are to have, or "" to take corrections back.
        reason: a few words for the list.
        toast: say it in the corner of the page; not from a dialog, which covers it.
    """
    if mark == EXCLUDE:
        done = "excluded"
        changed = _change(view, lambda corrections: corrections.exclude(rows, reason, _now()))
    elif mark:
        done = f"relabelled {mark}"
        changed = _change(view, lambda corrections: corrections.relabel(rows, mark, reason, _now()))
    else:
        done = "unmarked"
        changed = _change(view, lambda corrections: corrections.remove(rows, _now()))
    if changed and toast:
        st.toast(f"{'1 face' if len(rows) == 1 else f'{len(rows):,} faces'} {done}. Undo is in the sidebar.")


def relabel_each(view: DataView, rows: np.ndarray, labels: np.ndarray, reason: str) -> None:
    """Relabel faces, each with its own label (index into class names), as one step for Undo; a widget's callback."""

    def change(corrections: Corrections) -> Corrections:
        added = Corrections(corrections.data, corrections.n, class_names=corrections.class_names)
        for k in np.unique(labels[labels >= 0]):
            added = added.relabel(rows[labels == k], view.class_names[k], reason, _now())
        return corrections.merge(added, _now())

    if _change(view, change):
        count = np.count_nonzero(labels >= 0)
        st.toast(f"{'1 face' if count == 1 else f'{count:,} faces'} relabelled. Undo is in the sidebar.")


def read_or_explain(view: DataView) -> Corrections:
    """Return the corrections; a list that cannot be read is explained on the page and counts as empty."""
    if failed := st.session_state.pop(_FAILED, ""):
        st.error(failed, icon=":material/error:")
    try:
        return read_corrections(view)
    except DataError as error:
        st.error(
            f"**The marked faces cannot be read.** {error} The list lies at {corrections_path(view.info.name)}.",
            icon=":material/error:",
        )
        return Corrections(view.info.hash, len(view.faces), class_names=view.class_names)


def corrections_panel(view: DataView, corrections: Corrections) -> None:
    """Show in the sidebar what is marked, with undo, export and import."""
    with st.sidebar:
        st.subheader("Marked faces")
        st.caption(_as_text(corrections))
        with st.container(horizontal=True):
            st.button(
                "Undo",
                icon=":material/undo:",
                disabled=not corrections.log,
                key="marks_undo",
                on_click=_change,
                args=(view, Corrections.undo),
            )
            with st.popover("List", icon=":material/list_alt:"):
                _list_actions(view, corrections)


def _list_actions(view: DataView, corrections: Corrections) -> None:
    st.download_button(
        "Export as CSV",
        corrections.to_csv,
        f"{view.info.name}-marks.csv",
        "text/csv",
        key="marks_export",
        icon=":material/download:",
        disabled=not corrections.log,
        on_click="ignore",
    )
    upload = st.file_uploader(
        "Import a list that was exported here", type="csv", max_upload_size=50, key="marks_import"
    )
    st.button("Import", disabled=upload is None, key="marks_import_now", on_click=_import, args=(view, upload))
    st.caption(
        f"The images of {shown_name(view.info)} are never changed. Training can leave out and relabel what is "
        "marked here."
    )


def _import(view: DataView, upload: st.runtime.uploaded_file_manager.UploadedFile) -> None:
    def merge(corrections: Corrections) -> Corrections:
        try:
            text = upload.getvalue().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"{upload.name} is not text. Expected a list that was exported here.") from error
        return corrections.merge(
            from_csv(text, corrections.data, corrections.n, upload.name, corrections.class_names), _now()
        )

    _change(view, merge)


def _change(view: DataView, change: Callable[[Corrections], Corrections]) -> bool:
    """Change the list on disk and return whether that went well; if not, `read_or_explain` says why."""
    try:
        change_corrections(view.info.name, view.info.hash, len(view.faces), change, view.class_names)
    except FerError as error:
        st.session_state[_FAILED] = str(error)
        return False
    return True


def _as_text(corrections: Corrections) -> str:
    actions = Counter(mark.action for mark in corrections.current.values())
    if not corrections:
        return "None yet. Check faces in Browse or Problems, or open one."
    excluded = actions.pop(EXCLUDE, 0)
    return " · ".join(
        filter(
            None,
            [
                f"{excluded:,} to exclude" if excluded else "",
                f"{actions.total():,} to relabel" if actions.total() else "",
            ],
        )
    )


def _now() -> datetime:
    return datetime.now(UTC)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(path: str, data: str, n: int, class_names: tuple[str, ...], mtime_ns: int, size: int) -> Corrections:
    return load_corrections(Path(path), data, n, class_names)
