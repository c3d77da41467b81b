"""Take a model out of the app, in a form for other programs, from a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.background.jobs import list_jobs
from fer_core.dependencies import training_unavailable
from fer_core.errors import FerError
from fer_core.models.bundle import CARD_FILE, MODEL_FILE, WEIGHTS_FILE, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.model_store import folder_of
from fer_core.training.model_jobs import ExportModel, export_prefix
from fer_core.training.run.store import find_run
from fer_core.ui.components.jobs import latest_job, show_failure, show_job, start_own_job

_FORMS = {
    "litert": ("LiteRT", "The form this app uses; also for phones and small devices."),
    "onnx": ("ONNX", "For ONNX Runtime, OpenVINO and other programs without LiteRT."),
    "onnx-int8": ("ONNX in integers of 8 bits", "For small devices and processors that compute fast in integers."),
    "keras": ("Keras", "For training it further, or changing it."),
}
_INTEGERS = "onnx-int8"
_DATA_NEEDED = "Integers get their ranges from photographs of faces. Choose a data set of them above."


def export_panel(name: str, data: str = "") -> None:
    """Offer a model as LiteRT, ONNX and, where its weights are at hand, Keras: made on request, checked, with its card.

    Args:
        name: of an available model.
        data: a stored data set of photographs, from whose faces integers get their ranges; none if empty.
    """
    with st.expander(f"Export {name}", icon=":material/download:"):
        try:
            card = load_bundle(folder_of(name)).card
        except FerError as error:
            st.error(str(error), icon=":material/error:")
            return
        if message := training_unavailable("Exporting a model"):
            st.info(message, icon=":material/info:")
            return
        st.caption(
            "Each form is given 256 faces and compared with the one it is made from. The card, which says what "
            "the model is and how good it was measured to be, travels along."
        )
        for form in _FORMS:
            if form != "keras" or WEIGHTS_FILE in card.files or _source(name) != folder_of(name).resolve():
                _form(name, card, form, data)


def _form(name: str, card: ModelCard, form: str, data: str) -> None:
    source = _source(name)
    needs_data = form == _INTEGERS and source == folder_of(name).resolve()  # a run brings its own
    task = ExportModel(name, str(source), form, card.files[MODEL_FILE], data if needs_data else "")
    title, purpose = _FORMS[form]
    job = latest_job(task.key)
    with st.container(border=True):
        description, action = st.columns([5, 1], vertical_alignment="center")
        archive = job.outputs / job.result["archive"] if job is not None and job.state == "finished" else None
        description.markdown(f"**{title}** · {_measured(job.result['figures']) if job and archive else purpose}")
        if archive:
            action.download_button(
                "Download",
                archive.read_bytes,
                archive.name,
                "application/zip",
                on_click="ignore",
                icon=":material/download:",
                key=f"download_{form}_{name}",
                width="stretch",
            )
        elif job is None or not job.running:
            action.button(
                "Make",
                icon=":material/build:",
                key=f"make_{form}_{name}",
                on_click=_start,
                args=(task,),
                width="stretch",
                disabled=needs_data and not data,
                help=_DATA_NEEDED if needs_data and not data else f"Write {name} as {title}. It takes some 20 s.",
            )
        if job is not None and job.running:
            show_job(job)
        elif job is not None:
            show_failure(job, f"{title} was not made.")


def _measured(figures: dict[str, Any]) -> str:
    difference = figures["difference"]
    compared = (
        "the app's own file, unchanged"
        if difference is None
        else (
            f"scores differ from those of {figures['compared_with']} by at most "
            f"{difference * 100:.2g} percentage points "
            f"on {figures['faces']} faces"
        )
    )
    if figures.get("app_difference") is not None:
        compared += (
            f"; calibrated in the file, they differ from those that the app shows by at most "
            f"{figures['app_difference'] * 100:.2g}"
        )
    time = "" if figures["ms_per_face"] is None else f"{figures['ms_per_face']:.2f} ms a face here · "
    return f"{figures['bytes'] / 1e6:.1f} MB · {time}{compared}"


def _start(task: ExportModel) -> None:
    for job in list_jobs():
        if job.request.key.startswith(export_prefix(task.name, task.form)):
            job.remove()  # each holds a whole model
    start_own_job(task)


def _source(name: str) -> Path:
    """Return the folder of the run that gave this very model, since a run has Keras weights; else the model's own."""
    folder = folder_of(name)
    try:
        run = find_run(name.removesuffix("-trained"))
        if load_bundle(run.model_folder).card.files == ModelCard.load(folder / CARD_FILE).files:
            return run.path.resolve()
    except FerError:
        pass  # there is no such run, or it gave another model
    return folder.resolve()
