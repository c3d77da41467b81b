"""Write the data set with its corrections applied, and a data card beside it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fer_core.audit.clean_job import WriteCleaned
from fer_core.audit.corrections import Corrections
from fer_core.background.jobs import running_job
from fer_core.formats import count_text
from fer_core.ui.components.access import operator_only
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.jobs import own_job, show_failure, show_job, start_own_job

_FORMS = {"csv": "A table like fer2013.csv", "folders": "Folders of PNG files"}


def export_cleaned(view: DataView, corrections: Corrections) -> None:
    """Draw the button that opens the form; it is of no use before anything is corrected."""
    with st.popover(
        "Export cleaned set",
        icon=":material/output:",
        disabled=not corrections,
        help=None if corrections else "Exclude or relabel faces first.",
    ):
        if operator_only("Writing to this computer", "clean_token"):
            _form(view, corrections)


def _form(view: DataView, corrections: Corrections) -> None:
    with st.form("clean_form", border=False):
        st.markdown(
            f"Writes {view.info.name} with {count_text(len(corrections), 'correction')} applied, and a data card: "
            "source, counts by split and class before and after, what was excluded and relabelled and why."
        )
        form = st.radio("Format", list(_FORMS), format_func=_FORMS.get, key="clean_format")
        folder = st.text_input(
            "New folder on the machine that runs this page",
            placeholder=f"/home/me/{view.info.name}-cleaned",
            key="clean_folder",
        )
        if st.form_submit_button("Write", icon=":material/play_arrow:"):
            _start(view, folder.strip(), form)


def show_export() -> None:
    """Show how far the writing is, or how the one of this tab ended."""
    job = running_job(WriteCleaned.kind) or own_job(WriteCleaned.kind)
    if job is None:
        return
    if job.running:
        show_job(job)
    elif job.state == "finished":
        result = job.result
        st.success(
            f"{result['after']:,} of {result['before']:,} faces and the data card were written to {result['folder']}.",
            icon=":material/check:",
        )
        st.button("Close", key="clean_close", on_click=job.remove)
    elif job.state == "cancelled":
        job.remove()
    else:
        show_failure(job)


def _start(view: DataView, folder: str, form: str) -> None:
    path = Path(folder).expanduser()
    if not folder or not path.is_absolute():
        st.error(f"Name a new folder with its whole path, for example /home/me/{view.info.name}-cleaned.")
        return
    if (before := own_job(WriteCleaned.kind)) is not None:
        before.remove()
    if start_own_job(WriteCleaned(view.info.name, str(path), form)):
        st.rerun()
