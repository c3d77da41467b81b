"""The long analyses of a data set on its pages: start them, show how far they are, and gather all findings."""

from __future__ import annotations

import streamlit as st

from fer_core.audit import analysis
from fer_core.audit.analysis import ComputeModelOutputs, FindNearDuplicates, outputs_name
from fer_core.audit.findings import Findings
from fer_core.audit.model_outputs import ModelOutputs
from fer_core.background.jobs import list_jobs, running_job
from fer_core.data.duplicate_groups import Pairs
from fer_core.errors import FerError
from fer_core.models.bundle import MODEL_FILE
from fer_core.models.card import ModelCard
from fer_core.models.model_store import folder_with
from fer_core.recognizer import EmotionRecognizer
from fer_core.settings import Settings
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.jobs import is_own, show_failure, show_job, start_own_job
from fer_core.ui.components.loaders import load_recognizer


def find_near(view: DataView) -> Pairs | None:
    """Return the near copies, or None as long as nobody looked for them."""
    return _near(view.info.hash, len(view.faces), analysis.near_stamp(view.info.hash))


def look_for_near(view: DataView) -> None:
    """Start to compare every face with every other; about a minute for the whole of FER-2013."""
    start_own_job(_near_task(view))


def find_model_outputs(view: DataView, recognizer: EmotionRecognizer) -> ModelOutputs | None:
    """Return what the model makes of the faces, or None as long as it was not asked."""
    name = _outputs_name(recognizer)
    return _model_outputs(view.info.hash, name, analysis.outputs_stamp(view.info.hash, name))


def look_with_model(view: DataView, recognizer: EmotionRecognizer) -> None:
    """Start to show every face to the model."""
    try:
        folder = folder_with(recognizer.card.files[MODEL_FILE], Settings.from_env().model)
    except FerError as error:
        st.toast(str(error), icon=":material/error:", duration="long")
        return
    start_own_job(_outputs_task(view, recognizer, str(folder)))


def show_looks(view: DataView, recognizer: EmotionRecognizer | None) -> None:
    """Show how far the analyses of this data set are that run now, and why one that was started here failed."""
    keys = [_near_task(view).key] + ([_outputs_task(view, recognizer).key] if recognizer else [])
    jobs = [job for job in list_jobs() if job.request.key in keys]
    for key in keys:
        job = next((job for job in jobs if job.request.key == key), None)
        if job is None:
            continue
        if job.running:
            show_job(job)
        elif job.state == "failed":
            show_failure(job)
        elif is_own(job):
            job.remove()  # its result is in the cache


def looking_for_near(view: DataView) -> bool:
    """Tell whether near copies are being looked for now."""
    return running_job(_near_task(view).key) is not None


def model_looking(view: DataView, recognizer: EmotionRecognizer) -> bool:
    """Tell whether the faces are being shown to the model now."""
    return running_job(_outputs_task(view, recognizer).key) is not None


def all_findings(view: DataView, recognizer: EmotionRecognizer | None) -> Findings:
    """Return all that is known of the faces now; what was not looked for is absent."""
    near, outputs = find_near(view), None if recognizer is None else find_model_outputs(view, recognizer)
    if near is None and outputs is None:
        return view.findings
    return _findings(
        view.info.hash,
        view.info.created,
        view.info.votes,
        analysis.near_stamp(view.info.hash),
        "" if recognizer is None or outputs is None else _outputs_name(recognizer),
        _view=view,
        _near=near,
        _outputs=outputs,
        _card=None if recognizer is None else recognizer.card,
    )


def available_model() -> EmotionRecognizer | None:
    """Return the model of this server, or None where there is none; the live page says why."""
    try:
        return load_recognizer()
    except FerError:
        return None


@st.cache_resource(max_entries=4, show_spinner="Putting the findings together…")
def _findings(
    data: str,
    created: str,
    votes: bool,
    near_stamp: int | None,
    outputs: str,
    _view: DataView,
    _near: Pairs | None,
    _outputs: ModelOutputs | None,
    _card: ModelCard | None,
) -> Findings:
    return analysis.all_findings(_view.findings, _near, _view.faces, _card, _outputs)


# The stamp is part of the key, so that what any process has computed since is found.
@st.cache_resource(max_entries=4, show_spinner=False)
def _near(data: str, n: int, stamp: int | None) -> Pairs | None:
    return None if stamp is None else analysis.find_near_duplicates(data, n)


@st.cache_resource(max_entries=2, show_spinner=False)
def _model_outputs(data: str, name: str, stamp: int | None) -> ModelOutputs | None:
    return None if stamp is None else analysis.find_model_outputs(data, name)


def _near_task(view: DataView) -> FindNearDuplicates:
    return FindNearDuplicates(view.info.name, view.info.hash)


def _outputs_task(view: DataView, recognizer: EmotionRecognizer, folder: str = "") -> ComputeModelOutputs:
    return ComputeModelOutputs(
        view.info.name,
        view.info.hash,
        folder,
        recognizer.name,
        _outputs_name(recognizer),
        recognizer.label_set,
    )


def _outputs_name(recognizer: EmotionRecognizer) -> str:
    return outputs_name(recognizer.card, recognizer.label_set)
