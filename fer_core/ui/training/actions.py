"""What can be done with a run: stop, resume, put live, download, delete."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import streamlit as st

from fer_core.background.locks import is_held, take, write_holder
from fer_core.background.processes import start_command
from fer_core.errors import FerError, RunError
from fer_core.files import sha256_of
from fer_core.models.bundle import CARD_FILE
from fer_core.models.card import ModelCard
from fer_core.models.model_store import (
    choose_model,
    chosen_model,
    folder_of,
    previous_model,
    put_live,
)
from fer_core.settings import Settings
from fer_core.training.loop.curves import save_curves
from fer_core.training.run.folder import RunFolder, RunStatus
from fer_core.training.run.process import launch, stop
from fer_core.training.run.records import ExportRecord
from fer_core.training.run.store import delete_run

_LIVE_PAGE = "pages/live.py"


def actions(run: RunFolder, status: RunStatus, weakness: str = "") -> None:
    """Draw the buttons that make sense now, the first of them the next thing to do.

    Args:
        run: the run on show.
        status: its latest.
        weakness: why its result is no success; empty if it is one.
    """
    with st.container(horizontal=True, key="run_actions"):
        if status.live:
            stopping = run.stop_file.exists()
            st.button(
                "Stopping…" if stopping else "Stop",
                icon=":material/stop:",
                key="stop",
                disabled=stopping,
                on_click=stop,
                args=(run,),
                help="At the end of the batch. The epoch under way is dropped; Resume begins it again.",
            )
            return
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
        else:
            st.button(
                "Resume",
                type="primary",
                icon=":material/play_arrow:",
                key="resume",
                on_click=_resume,
                args=(run,),
                help="Goes on from the last whole epoch.",
            )
        st.download_button(
            "Download",
            data=lambda: _archive(run),
            file_name=f"{run.name}.zip",
            on_click="ignore",
            icon=":material/download:",
            key="download",
            help="Weights, history, card, curves and configuration.",
        )
        if st.button("Delete", icon=":material/delete:", key="delete", disabled=exporting(run)):
            ask_delete(run)
    live_words(run)


def live_words(run: RunFolder) -> None:
    """Say whether the run is the live page's model, how well both forms agree, and how to go back."""
    if exporting(run):
        st.info(
            "Converting the network for the live page and comparing both forms on 256 faces…",
            icon=":material/hourglass_top:",
        )
        return
    if st.session_state.get("to_put_live") == run.name:
        del st.session_state["to_put_live"]
        _put_exported(run)
    if error := st.session_state.pop("put_live_error", None):
        st.error(f"**It was not put live.** {error}", icon=":material/error:")
    if not run.export_file.exists() or not _is_chosen(run):
        return
    if other := Settings.from_env().model:
        st.info(
            f"**{chosen_model()}** was put live, but the setting FER_MODEL names {other}: the live page uses that "
            "one until the setting is taken away.",
            icon=":material/info:",
        )
        return
    record, before = _export_record(run), previous_model()
    if record is None:
        return
    with st.container(border=True, key="live_words"):
        st.markdown(
            f"**{chosen_model()}** is the model of the live page. Both forms of the network were given the "
            f"same {record.faces} faces; their scores differ by at most **{record.difference * 100:.2g} "
            f"percentage points**. A face takes {record.ms_per_face:.1f} ms."
        )
        with st.container(horizontal=True):
            if st.button("See it live", icon=":material/videocam:", key="see_live"):
                st.switch_page(_LIVE_PAGE)
            if before:
                st.button(f"Back to {before}", icon=":material/undo:", key="back", on_click=_go_back, args=(before,))


def _resume(run: RunFolder) -> None:
    try:
        launch(run)
    except (FerError, OSError) as error:
        st.toast(str(error), icon=":material/error:")


def _put_live(run: RunFolder) -> None:
    if _is_exported(run):
        _put_exported(run)
        return
    try:
        lock = take(_export_lock(run))
        if lock is None:
            return
        try:
            run.export_file.unlink(missing_ok=True)
            process = start_command(
                ["export", str(run.path.resolve())],
                run.log_file,
                keep_open=(lock,),
                environment={"KERAS_BACKEND": "tensorflow"},
            )
            write_holder(lock, process.pid)
        finally:
            os.close(lock)  # from here on the lock is the new process's own
    except (FerError, OSError) as error:
        st.session_state["put_live_error"] = str(error)
        return
    st.session_state["to_put_live"] = run.name


def _put_exported(run: RunFolder) -> None:
    try:
        if not run.export_file.exists():
            last = run.log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise FerError(f"The conversion ended without a result. {' '.join(last)}")
        put_live(run.model_folder, run.name)
    except (FerError, OSError) as error:
        st.session_state["put_live_error"] = str(error)


def _go_back(before: str) -> None:
    try:
        choose_model(before)
    except (FerError, OSError) as error:
        st.session_state["put_live_error"] = str(error)


def _is_chosen(run: RunFolder) -> bool:
    """Return whether the chosen model is the network of this run: another run may have had its name."""
    try:
        return (
            ModelCard.load(run.model_folder / CARD_FILE).files
            == ModelCard.load(folder_of(chosen_model()) / CARD_FILE).files
        )
    except FerError:
        return False


def _is_exported(run: RunFolder) -> bool:
    record = _export_record(run)
    return record is not None and run.weights_file.exists() and record.weights_sha256 == sha256_of(run.weights_file)


def _export_record(run: RunFolder) -> ExportRecord | None:
    try:
        return run.export()
    except RunError:
        return None  # damaged: putting the run live converts it again


def _export_lock(run: RunFolder) -> Path:
    return run.path / "export.lock"


def exporting(run: RunFolder) -> bool:
    """Return whether a process turns the run's result into a model for the app."""
    return is_held(_export_lock(run))


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
