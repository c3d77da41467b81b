"""What a run's network says about a few validation faces: after the last epoch, and after any other."""

from __future__ import annotations

from dataclasses import replace

import cv2
import streamlit as st

from fer_core.charts.timeline import QUIET
from fer_core.emotions import LABELS
from fer_core.face_size import FACE_SIZE
from fer_core.training.run.epochs import EpochRecord
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.records import WatchedFaces


def truth_word(label_set: str) -> str:
    """Return what stands before the true expression of a face: the truth of votes is what most people see."""
    return "labelled" if label_set == "fer" else "seen as"


def watched_html(run: RunFolder, faces: WatchedFaces, truth: str) -> str:
    """Return the watched faces with their true expression, the last prediction and one tick an epoch.

    Args:
        run: its folder, with the pictures of the faces.
        faces: what the network said about them.
        truth: what stands before the true expression, such as "labelled".

    Returns:
        HTML; empty if the pictures are missing or damaged.
    """
    strip = cv2.imread(str(run.faces_file), cv2.IMREAD_GRAYSCALE) if run.faces_file.exists() else None
    if strip is None or strip.shape != (FACE_SIZE, FACE_SIZE * len(faces.labels)):
        return ""
    figures = [_figure(strip, faces, i, truth) for i in range(len(faces.labels))]
    return f'<div class="fer-watched">{"".join(figures)}</div>'


def epoch_by_epoch(run: RunFolder, faces: WatchedFaces, truth: str) -> None:
    """Draw the confusion and the watched faces after an epoch that is chosen by a slider, folded away at first.

    Nothing is drawn for a run of an earlier version, which kept the last epoch only.
    """
    changed_ns = run.epochs_file.stat().st_mtime_ns if run.epochs_file.exists() else 0
    epochs = _epochs(run, changed_ns)
    if len(epochs) < 2:
        return
    # Only an open expander is drawn: a run that trains is looked at more than once a second.
    expander = st.expander("Epoch by epoch", icon=":material/history:", key="epochs_open", on_change="rerun")
    if not expander.open:
        return
    with expander:
        record = epochs[_chosen_epoch(run, len(epochs)) - 1]
        dark = st.context.theme.type == "dark"
        confusion, watched = _drawn_epoch(run, changed_ns, record.epoch, faces_after(faces, record), truth, dark)
        left, right = st.columns([5, 6], gap="medium")
        left.plotly_chart(
            confusion,
            width="stretch",
            config=QUIET,
            key="epoch_confusion",
            alt=f"confusion matrix after epoch {record.epoch + 1}",
        )
        if watched:
            right.html(watched)


def faces_after(faces: WatchedFaces, record: EpochRecord) -> _HashableFaces:
    """Return what the network said about the watched faces up to and after one epoch."""
    same = len(record.shown) == len(faces.labels) and all(len(row) == len(LABELS) for row in record.shown)
    probs = [[share / 100 for share in row] for row in record.shown] if same else faces.probs
    return _HashableFaces(replace(faces, probs=probs, predicted=faces.predicted[: record.epoch + 1]))
