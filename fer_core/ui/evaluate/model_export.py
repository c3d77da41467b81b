"""Take a model out of the app, in a form for other programs, from a page."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.dependencies import training_unavailable
from fer_core.errors import FerError
from fer_core.models.bundle import CARD_FILE, MODEL_FILE, WEIGHTS_FILE, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.model_store import folder_of
from fer_core.training.run.store import find_run
from fer_core.ui.components.command_job import run_command
from fer_core.ui.components.jobs import (
    Report,
    find_job,
    forget_ended,
    show_job,
    start_job,
)

_FORMS = {
    "litert": ("LiteRT", "The form this app uses; also for phones and small devices."),
    "onnx": ("ONNX", "For ONNX Runtime, OpenVINO and other programs without LiteRT."),
    "keras": ("Keras", "For training it further, or changing it."),
}


@dataclass(frozen=True)
class _Archive:
    """A model with its card, zipped, and what was measured of it."""

    content: bytes
    figures: dict[str, Any]


def export_panel(name: str) -> None:
    """Offer a model as LiteRT, ONNX and, where its weights are at hand, Keras: made on request, checked, with its card.

    Args:
        name: of an available model.
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
                _form(name, card, form)


def _form(name: str, card: ModelCard, form: str) -> None:
    # A model that is replaced under its name is exported anew, hence its hash.
    key = f"{_keys(name, form)}{card.files[MODEL_FILE][:12]}"
    title, purpose = _FORMS[form]
    job = find_job(key)
    with st.container(border=True):
        words, action = st.columns([5, 1], vertical_alignment="center")
        made = job.result if job is not None else None
        words.markdown(f"**{title}** · {_measured(made.figures) if made else purpose}")
        if made:
            action.download_button(
                "Download",
                made.content,
                f"{name}-{form}.zip",
                "application/zip",
                on_click="ignore",
                icon=":material/download:",
                key=f"download_{key}",
                width="stretch",
            )
        elif job is None or not job.progress.running:
            action.button(
                "Make",
                icon=":material/build:",
                key=f"make_{key}",
                on_click=_start,
                args=(key, name, form),
                width="stretch",
                help=f"Write {name} as {title}. It takes some 20 s.",
            )
        if job is not None and job.progress.running:
            show_job(key, job)
        elif job is not None and job.progress.error:
            st.error(f"**{title} was not made.** {job.progress.error}", icon=":material/error:")


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
    time = "" if figures["ms_per_face"] is None else f"{figures['ms_per_face']:.2f} ms a face here · "
    return f"{figures['bytes'] / 1e6:.1f} MB · {time}{compared}"


def _keys(name: str, form: str) -> str:
    """Return what the keys of a model's exports begin with; names have no colon, so no other model's do."""
    return f"export_{form}_{name}:"


def _start(key: str, name: str, form: str) -> None:
    forget_ended(_keys(name, form))  # each holds a whole model
    start_job(key, f"Writing {name} as {_FORMS[form][0]}", lambda report: _make(name, form, report))


def _make(name: str, form: str, report: Report) -> _Archive:
    with tempfile.TemporaryDirectory(prefix="fer-") as folder:
        figures = run_command(["export", str(_source(name)), "--format", form, "--out", folder, "--json"], report)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, f"{name}/{path.name}")
        return _Archive(buffer.getvalue(), figures)


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
