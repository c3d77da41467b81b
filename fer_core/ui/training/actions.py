"""What can be done with a run: stop, resume, put live, download, delete."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import streamlit as st

from fer_core.background.jobs import running_job
from fer_core.errors import FerError, RunError
from fer_core.models.model_store import choose_model, chosen_model, previous_model
from fer_core.settings import Settings
from fer_core.training.loop.curves import save_curves
from fer_core.training.put_live import PutRunLive, export_figures, export_key, is_exported, is_live, put_run_live
from fer_core.training.run.folder import RunFolder, RunStatus
from fer_core.training.run.process import launch, launch_finish, stop
from fer_core.training.run.store import delete_run
from fer_core.ui.components.access import is_operator
from fer_core.ui.components.jobs import is_own, job_bar, latest_job, show_failure, start_own_job
from fer_core.ui.components.widgets import page_link

_LIVE_PAGE = "pages/live.py"


def actions(run: RunFolder, status: RunStatus, weakness: str = "") -> None:
    """Draw the buttons that make sense now, the first of them the next thing to do.

    Args:
        run: the run on show.
        status: its latest.
        weakness: why its result is no success; empty if it is one.
    """
    allowed = is_operator()  # the form beside it says why not
    with st.container(horizontal=True, key="run_actions"):
        if status.live:
            if allowed:
                _stop_button(run)
            return
        if allowed:
            _next_buttons(run, status, weakness)
        st.download_button(
            "Download",
            data=lambda: _archive(run),
            file_name=f"{run.name}.zip",
            on_click="ignore",
            icon=":material/download:",
            key="download",
            help="Weights, history, card, curves and configuration; of a finished run also model.keras, which "
            "keras.models.load_model opens.",
        )
        if allowed and st.button("Delete", icon=":material/delete:", key="delete", disabled=exporting(run)):
            ask_delete(run)
    live_status(run)


def _stop_button(run: RunFolder) -> None:
    stopping = run.stop_file.exists()
    st.button(
        "Stopping…" if stopping else "Stop",
        icon=":material/stop:",
        key="stop",
        disabled=stopping,
        on_click=stop,
        args=(run,),
        help="At the end of the batch. The current epoch is dropped; Resume starts it again.",
    )


def _next_buttons(run: RunFolder, status: RunStatus, weakness: str) -> None:
    """Draw what can come next: a finished run is put live, another one goes on or is finished as it is."""
    if status.state == "finished":
        st.button(
            "Put live anyway" if weakness else "Put live",
            type="secondary" if weakness else "primary",
            icon=":material/sensors:",
            key="put_live",
            on_click=_put_live,
            args=(run,),
            disabled=exporting(run),
            help="Makes the result of this run the model of the live page.",
        )
        return
    st.button(
        "Resume",
        type="primary",
        icon=":material/play_arrow:",
        key="resume",
        on_click=_resume,
        args=(run,),
        help="Goes on from the last whole epoch.",
    )
    if _has_weights(run):
        st.button(
            "Finish here",
            icon=":material/flag:",
            key="finish",
            on_click=_finish,
            args=(run,),
            help="Makes the weights so far the result: they are measured and converted as at the end of "
            "training. The run cannot be resumed afterwards.",
        )


def live_status(run: RunFolder) -> None:
    """Say whether the run is the live page's model, how well both forms agree, and how to go back."""
    if (job := latest_job(export_key(run))) is not None:
        if job.running:
            job_bar(job)
            return
        if job.state == "failed":
            show_failure(job, "It was not put live.")
        elif is_own(job):
            job.remove()
    if error := st.session_state.pop("put_live_error", None):
        st.error(f"**It was not put live.** {error}", icon=":material/error:")
    export = export_figures(run)
    if export is None or not is_live(run):
        return
    if other := Settings.from_env().model:
        st.info(
            f"**{chosen_model()}** was put live, but the setting FER_MODEL names {other}: the live page uses that "
            "one until the setting is taken away.",
            icon=":material/info:",
        )
        return
    before = previous_model()
    with st.container(border=True, key="live_words"):
        st.markdown(
            f"**{chosen_model()}** is the model of the live page. Both forms of the network were given the "
            f"same {export.faces} faces; their scores differ by at most **{export.difference * 100:.2g} "
            f"percentage points**. A face takes {export.ms_per_face:.1f} ms."
        )
        with st.container(horizontal=True):
            page_link(_LIVE_PAGE, "See it live", ":material/videocam:")
            if before and is_operator():
                st.button(f"Back to {before}", icon=":material/undo:", key="back", on_click=_go_back, args=(before,))


def _resume(run: RunFolder) -> None:
    try:
        launch(run)
    except (FerError, OSError) as error:
        st.toast(str(error), icon=":material/error:")


def _finish(run: RunFolder) -> None:
    try:
        launch_finish(run)
    except (FerError, OSError) as error:
        st.toast(str(error), icon=":material/error:")


def _has_weights(run: RunFolder) -> bool:
    try:
        return run.weights_file.exists() and len(run.history()) > 0
    except RunError:
        return False  # the page says what is damaged


def _put_live(run: RunFolder) -> None:
    try:
        if is_exported(run):
            put_run_live(run)
        else:
            start_own_job(PutRunLive(str(run.path.resolve())))
    except (FerError, OSError) as error:
        st.session_state["put_live_error"] = str(error)


def _go_back(before: str) -> None:
    try:
        choose_model(before)
    except (FerError, OSError) as error:
        st.session_state["put_live_error"] = str(error)


def exporting(run: RunFolder) -> bool:
    """Return whether a job turns the run's result into a model for the app."""
    return running_job(export_key(run)) is not None


def _archive(run: RunFolder) -> bytes:
    if len(history := run.history()) and _is_older(run.curves_file, run.history_file):
        save_curves(history, run.curves_file)  # training draws them when it is done; this run was stopped before
    files = [
        run.config_file,
        run.history_file,
        run.card_file,
        run.curves_file,
        run.best_weights_file,
        run.last_weights_file,
        run.keras_file,
        run.fingerprint_file,
        run.epochs_file,
        run.log_file,
        *run.model_folder.glob("*"),
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in files:
            if path.is_file():
                archive.write(path, path.relative_to(run.path.parent))
    return buffer.getvalue()


def _is_older(path: Path, other: Path) -> bool:
    return not path.exists() or path.stat().st_mtime_ns < other.stat().st_mtime_ns


@st.dialog("Delete this run?")
def ask_delete(run: RunFolder) -> None:
    """Ask whether to delete a run, and delete it."""
    st.markdown(
        f"**{run.name}** with its weights, history and card. This cannot be undone. A model that was put live stays."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", icon=":material/delete:", key="delete_sure"):
            try:
                delete_run(run)
            except FerError as error:
                st.error(str(error), icon=":material/error:")
                return
            st.rerun()
        if st.button("Keep", key="delete_not"):
            st.rerun()
