"""The two looks at a data set that take minutes: every face against every other, and every face by the model.

Both run as jobs of the server, not of a viewer; what they find is kept on disk, so it is looked for once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import streamlit as st

from fer_core.audit.findings import Findings
from fer_core.audit.model_outputs import ModelOutputs, compute_model_outputs
from fer_core.audit.near_duplicates import near_duplicates
from fer_core.cache import cache_folder, find_cached, save_cached
from fer_core.data.duplicate_groups import Pairs
from fer_core.emotions import LABELS
from fer_core.errors import DataError, FerError, ModelError
from fer_core.models.bundle import scores_key
from fer_core.recognizer import EmotionRecognizer
from fer_core.trained_on import trained_on
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.jobs import (
    Report,
    find_job,
    forget_job,
    show_job,
    start_job,
)
from fer_core.ui.components.loaders import load_recognizer

_NEAR = "near"


def find_near(view: DataView) -> Pairs | None:
    """Return the near copies, or None as long as they were not looked for."""
    return _near(view.info.hash, len(view.faces), *_outcome(_near_key(view)))


def look_for_near(view: DataView) -> None:
    """Start to compare every face with every other; about a minute for the whole of FER-2013."""
    images, folder = view.faces.images, cache_folder(view.info.hash)

    def look(report: Report) -> Mapping[str, np.ndarray]:
        pairs = near_duplicates(images, progress=lambda share: report(share, 1.0))
        arrays = {"first": pairs.first, "second": pairs.second, "score": pairs.score}
        save_cached(folder, _NEAR, arrays)
        return arrays

    start_job(_near_key(view), "Comparing every face with every other", look)


def find_model_outputs(view: DataView, recognizer: EmotionRecognizer) -> ModelOutputs | None:
    """Return what the model makes of the faces, or None as long as it was not asked."""
    return _model_view(view.info.hash, _model_name(recognizer), *_outcome(_model_key(view, recognizer)))


def look_with_model(view: DataView, recognizer: EmotionRecognizer) -> None:
    """Start to show every face to the model."""
    images, folder, name = view.faces.images, cache_folder(view.info.hash), _model_name(recognizer)

    def look(report: Report) -> Mapping[str, np.ndarray]:
        arrays = compute_model_outputs(images, _scorer(recognizer), report).to_arrays()
        save_cached(folder, name, arrays)
        return arrays

    start_job(_model_key(view, recognizer), f"Showing {len(images):,} faces to {recognizer.name}", look)


def show_looks(view: DataView, recognizer: EmotionRecognizer | None) -> None:
    """Show how far the looks at this data set are that run now, and why one failed."""
    for key in [_near_key(view)] + ([_model_key(view, recognizer)] if recognizer else []):
        job = find_job(key)
        if job is None:
            continue
        if job.progress.running:
            show_job(key, job)
        elif job.progress.error:
            forget_job(key)
            st.error(f"**{job.title} failed.** {job.progress.error}", icon=":material/error:")


def looking_for_near(view: DataView) -> bool:
    """Tell whether near copies are being looked for now."""
    return _runs(_near_key(view))


def model_looking(view: DataView, recognizer: EmotionRecognizer) -> bool:
    """Tell whether the faces are being shown to the model now."""
    return _runs(_model_key(view, recognizer))


def all_findings(view: DataView, recognizer: EmotionRecognizer | None) -> Findings:
    """Return all that is known of the faces now; what was not looked for is absent."""
    near, seen = find_near(view), None if recognizer is None else find_model_outputs(view, recognizer)
    if near is None and seen is None:
        return view.findings
    model = "" if seen is None else _model_name(recognizer)
    return _findings(
        view.info.hash,
        view.info.created,
        view.info.votes,
        near is not None,
        model,
        _view=view,
        _near=near,
        _seen=seen,
        _recognizer=recognizer,
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
    with_near: bool,
    model: str,
    _view: DataView,
    _near: Pairs | None,
    _seen: ModelOutputs | None,
    _recognizer: EmotionRecognizer | None,
) -> Findings:
    findings = _view.findings if _near is None else replace(_view.findings, near_duplicates=_near)
    if _seen is None:
        return findings
    seen = trained_on(_recognizer.card, _view.faces)
    rows = np.flatnonzero(~seen)
    try:
        return findings.judged_by(rows, _seen.probs[rows], seen)
    except DataError:  # nothing is left that the model did not learn from
        return findings


# `done` is part of the key, so that a look that has ended since is found; its result need not have reached the disk.
@st.cache_resource(max_entries=4, show_spinner=False)
def _near(data: str, n: int, done: bool, _result: Mapping[str, np.ndarray] | None) -> Pairs | None:
    arrays = _result if done else find_cached(cache_folder(data), _NEAR)
    return None if arrays is None else Pairs(arrays["first"], arrays["second"], arrays["score"], n)


@st.cache_resource(max_entries=2, show_spinner=False)
def _model_view(data: str, name: str, done: bool, _result: Mapping[str, np.ndarray] | None) -> ModelOutputs | None:
    arrays = _result if done else find_cached(cache_folder(data), name)
    return None if arrays is None else ModelOutputs.from_arrays(arrays)


def _outcome(key: str) -> tuple[bool, Mapping[str, np.ndarray] | None]:
    """Return whether a look ended well since the server started, and what it found."""
    job = find_job(key)
    return (False, None) if job is None or job.progress.running or job.result is None else (True, job.result)


def _runs(key: str) -> bool:
    job = find_job(key)
    return job is not None and job.progress.running


def _scorer(recognizer: EmotionRecognizer) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return what scores faces in the order of `LABELS`, which is the recognizer's for these seven."""
    if recognizer.labels != LABELS:
        raise ModelError(
            f"{recognizer.name} scores {', '.join(recognizer.labels)}; only a model of "
            f"{', '.join(LABELS)} can be compared with these labels. Choose another model."
        )
    return recognizer.classify_and_embed


def _near_key(view: DataView) -> str:
    return f"near-{view.info.hash[:16]}"


def _model_key(view: DataView, recognizer: EmotionRecognizer) -> str:
    return f"model-{view.info.hash[:16]}-{_model_name(recognizer)}"


def _model_name(recognizer: EmotionRecognizer) -> str:
    return f"model-{scores_key(recognizer.card, recognizer.label_set)}"
