"""Bring a model of another origin into the list of models, from a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO

import streamlit as st

from fer_core.background.jobs import Job, running_job
from fer_core.background.launch import plain_name
from fer_core.dependencies import training_unavailable
from fer_core.emotions import CSV_LABELS, LABELS
from fer_core.errors import ModelError
from fer_core.models.importing.description import (
    MAX_FILE_BYTES,
    RESIZE_METHODS,
    SCALES,
    Description,
    parse_labels,
)
from fer_core.models.model_store import available_models, check_name
from fer_core.models.registry import architectures
from fer_core.training.model_jobs import ImportModel
from fer_core.ui.components.jobs import own_job, show_failure, show_job, start_own_job

_KINDS = {
    "recognise": ("Recognise it", "A .keras file of a network of this program, or the original script's model.h5."),
    "weights": ("Weights of a run", "A .weights.h5 file, such as a run's best.weights.h5."),
    "other": (
        "Another network",
        "A whole Keras model, .keras or .h5, of any architecture: gray faces in, seven "
        "scores with a softmax out. Its file does not say how faces were scaled and what "
        "its scores mean, so you do.",
    ),
}
_ORDERS = {
    "csv": ("As in FER-2013's table", CSV_LABELS),
    "folders": ("By alphabet, as folders are", LABELS),
    "own": ("Another order", ()),
}
_OPTIONS = re.compile(r" \(on the command line [^)]*\)")
_SIGNATURES = b"PK", b"\x89HDF"
_SCALE_WORDS = {"0..1": "0 to 1", "-1..1": "−1 to 1", "0..255": "0 to 255"}


def import_panel() -> None:
    """Ask for a file and what it is, import it in a process of its own, and show the result."""
    job = running_job(ImportModel.kind) or own_job(ImportModel.kind)
    with st.expander("Import a model", icon=":material/upload_file:", expanded=job is not None):
        if message := training_unavailable("Importing a model"):
            st.info(message, icon=":material/info:")
            return
        if job is not None:
            _show_import(job)
        # Also while a job runs: a field that is not drawn forgets its file.
        _ask(running=job is not None and job.running)


def _show_import(job: Job) -> None:
    if job.running:
        show_job(job)
    elif job.state == "finished":
        st.success(_imported(job.result), icon=":material/check:")
        st.button("Close", key="import_close", on_click=job.remove)
    elif job.state == "failed":
        show_failure(job, error=_on_this_page(job.error))
    else:
        job.remove()


def _on_this_page(error: str) -> str:
    """Return an error of an import with what to do on this page in place of options of the command line."""
    without_options = _OPTIONS.sub("", error)
    if without_options == error:
        return error
    kind = "weights" if "--architecture" in error else "other"
    return f"{without_options} Choose “{_KINDS[kind][0]}” below; the file is still there."


def _imported(model: Mapping[str, Any]) -> str:
    return (
        f"Imported as **{model['name']}**: {model['parameters'] / 1e6:.2f} M parameters, {model['bytes'] / 1e6:.2f} "
        f"MB; scores in the order {', '.join(model['labels'])}. Both forms were compared on 256 drawn faces: their "
        f"scores differ by at most {model['difference'] * 100:.2g} percentage points. Its accuracy is unknown until "
        "it is measured."
    )


def _ask(running: bool) -> None:
    upload = st.file_uploader(
        f"A .keras, .h5 or .hdf5 file, up to {MAX_FILE_BYTES >> 20} MB",
        type=["keras", "h5", "hdf5"],
        max_upload_size=MAX_FILE_BYTES >> 20,
        key="import_file",
    )
    kind = st.segmented_control(
        "What it is",
        list(_KINDS),
        default="recognise",
        required=True,
        key="import_kind",
        format_func=lambda name: _KINDS[name][0],
    )
    st.caption(_KINDS[kind][1])
    task: ImportModel | None = ImportModel("")
    if kind == "weights":
        task = ImportModel("", architecture=st.selectbox("Network", architectures(), key="import_architecture"))
    elif kind == "other":
        task = _describe()
    name = st.text_input("What to call it", placeholder="taken from the file", max_chars=64, key="import_name").strip()
    disabled = running or upload is None or task is None
    start = st.button("Import", type="primary", icon=":material/upload_file:", key="import_start", disabled=disabled)
    if start and upload is not None and task is not None:
        _start(upload, replace(task, file=plain_name(upload.name), name=name))


def _describe() -> ImportModel | None:
    """Ask what the network takes and gives; None while something is missing or wrong."""
    order = st.selectbox(
        "Order of its scores",
        list(_ORDERS),
        index=None,
        placeholder="Choose",
        format_func=_order_text,
        key="import_order",
    )
    text = ", ".join(_ORDERS[order][1]) if order else ""
    if order == "own":
        text = st.text_input(
            "Its seven labels, in the order of its scores", placeholder=", ".join(CSV_LABELS), key="import_labels"
        )
    with st.container(horizontal=True):
        size = st.number_input(
            "Faces it takes, pixels",
            16,
            512,
            None,
            1,
            placeholder="such as 64",
            key="import_size",
            help="Width and height of the faces it was trained on.",
        )
        scale = st.selectbox(
            "Range of its pixels",
            list(SCALES),
            index=None,
            placeholder="Choose",
            key="import_scale",
            format_func=_SCALE_WORDS.get,
            help="What black and white were brought to in training.",
        )
        resize = st.selectbox("Faces are resized", RESIZE_METHODS, key="import_resize", format_func=str.capitalize)
    if not text or size is None or scale is None:
        st.caption("All of these are needed: a wrong order or range gives a network that looks alive and is wrong.")
        return None
    try:
        description = Description(parse_labels(text), int(size), scale, resize)
    except ModelError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return ImportModel(
        "",
        labels=description.labels,
        input_size=description.input_size,
        scale=description.scale,
        resize=description.resize,
    )


def _order_text(order: str) -> str:
    words, labels = _ORDERS[order]
    return f"{words}: {', '.join(labels)}" if labels else words


def _check_kind(upload: BinaryIO, name: str) -> None:
    """Refuse a file of another kind by its first bytes, before a process with TensorFlow starts."""
    start = upload.read(4)
    upload.seek(0)
    if not start.startswith(_SIGNATURES):
        raise ModelError(
            f"{name} is no model: it is neither a .keras file nor HDF5. Choose another file, or save the model again "
            "with Keras."
        )


def _start(upload: BinaryIO, task: ImportModel) -> None:
    try:
        _check_kind(upload, task.file)
        if task.name:
            check_name(task.name)
        if task.name in available_models():
            raise ModelError(f"There is a model named {task.name!r} already. Choose another name.")
    except ModelError as error:
        st.error(str(error), icon=":material/error:")
        return
    if (before := own_job(ImportModel.kind)) is not None:
        before.remove()
    if start_own_job(task, {task.file: upload}) is not None:
        st.rerun()
