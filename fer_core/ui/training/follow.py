"""The run on show: how far it is, its curves growing, and what it makes of the validation faces.

A fragment reads the run's files more than once a second while a process works on it. Nothing here trains.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from pathlib import Path

import cv2
import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fer_core.charts.timeline import QUIET
from fer_core.charts.training import confusion_figure, learning_rate_curve, run_curves
from fer_core.emotions import COLORS, LABELS
from fer_core.files import read_json
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder, RunStatus
from fer_core.training.timing.eta import Eta, estimate_eta, format_duration
from fer_core.ui.components.pictures import png_url
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.training.actions import actions, exporting

_LOOK_S = 0.7
_WORDS = {
    "waiting": "waits for its turn",
    "starting": "starting",
    "running": "training",
    "measuring": "measuring",
    "stopped": "stopped",
    "finished": "finished",
    "failed": "failed",
    "interrupted": "interrupted",
}


def follow(run: RunFolder | None) -> None:
    """Show a run, and go on showing it while it lives."""
    if run is None:
        empty_state(
            "No run yet",
            "Its curves will grow here while it trains, and stay here after. "
            "Start training with the settings on the left; they need no change.",
            420,
        )
        return
    status = run.status()
    busy = status is None or status.live or exporting(run)
    st.fragment(_follow, run_every=_LOOK_S if busy else None)(run, busy)


def _follow(run: RunFolder, was_busy: bool) -> None:
    status = run.status()
    if (status is None or status.live or exporting(run)) != was_busy:
        st.rerun()  # the table of runs and the timer of this fragment change with it
    status = status or RunStatus("interrupted", 0, 0.0, message="It was never started, or is just starting.")
    config, history, progress = run.config(), run.history(), run.progress()
    _headline(run, status, estimate_eta(config, status, history, progress), config)
    actions(run, status)
    columns = st.columns([5, 5, 3])
    for column, quantity in zip(columns, ("accuracy", "loss"), strict=False):
        figure = run_curves(history, progress, status.steps_per_epoch, config.epochs, quantity)
        column.plotly_chart(
            figure,
            width="stretch",
            config=QUIET,
            key=f"curve_{quantity}",
            alt=f"{quantity} of training and validation by epoch",
        )
    columns[2].plotly_chart(
        _rate_curve(tuple(history["learning_rate"]), config.epochs),
        width="stretch",
        config=QUIET,
        key="curve_rate",
        alt="learning rate by epoch",
    )
    _last_epoch(run)


def _headline(run: RunFolder, status: RunStatus, pace: Eta, config: RunConfig) -> None:
    parts = [f"<b>{escape(run.name)}</b>", *(f"<span>{part}</span>" for part in _parts(status, pace, config))]
    st.html(f'<div class="fer-run">{"".join(parts)}</div>')
    st.progress(pace.share)
    if status.state == "failed":
        st.error(f"**The run failed.** {status.message}", icon=":material/error:")
    elif status.state == "interrupted":
        st.warning(f"**The run was interrupted.** {status.message}", icon=":material/bolt:")


def _parts(status: RunStatus, pace: Eta, config: RunConfig) -> list[str]:
    parts = [_WORDS[status.state]]
    if status.state == "running":
        parts.append(f"epoch {min(pace.epoch + 1, config.epochs)} of {config.epochs}")
        parts.append(f"batch {pace.step} of {status.steps_per_epoch}")
        if pace.images_per_s:
            parts.append(f"{pace.images_per_s:,.0f} images/s")
        if pace.left_s is not None:
            parts.append(f"{format_duration(pace.left_s)} left")
    elif status.state not in ("waiting", "starting"):
        parts.append(f"{pace.epoch} of {config.epochs} epochs")
    if pace.best is not None:
        parts.append(f"best {pace.best * 100:.1f} % in epoch {pace.best_epoch}")
    return parts


def _last_epoch(run: RunFolder) -> None:
    try:
        changed_ns = run.validation_file.stat().st_mtime_ns
    except FileNotFoundError:
        return
    told, confusion, watched = _told(run.validation_file, run.faces_file, changed_ns)
    left, right = st.columns([5, 6], gap="medium")
    with left:
        st.caption(f"Validation after epoch {told['epoch'] + 1}")
        st.plotly_chart(
            confusion, width="stretch", config=QUIET, key="curve_confusion", alt="confusion matrix of the last epoch"
        )
    with right:
        st.caption("The same validation faces after each epoch: what they are labelled, and what the network says")
        st.html(watched)


# What changes once an epoch is drawn once an epoch, so that looking often costs the server little.
_rate_curve = lru_cache(maxsize=8)(learning_rate_curve)


@lru_cache(maxsize=8)
def _told(path: Path, faces: Path, changed_ns: int) -> tuple[dict, go.Figure, str]:
    """Read what a run wrote after its last epoch; draw its confusion and, as HTML, the watched faces.

    `changed_ns` tells when it is new.
    """
    told = read_json(path)
    return (
        told,
        confusion_figure(told["confusion"]),
        watched_html(cv2.imread(str(faces), cv2.IMREAD_GRAYSCALE), told["faces"]),
    )


def watched_html(strip: np.ndarray, told: dict) -> str:
    """Return the watched faces with their label, the last prediction and one tick an epoch.

    Args:
        strip: uint8 (48, 48 n), the faces side by side.
        told: `labels` (n,), `probs` (n, 7) and `predicted`, one list (n,) an epoch.
    """
    figures = []
    for i, label in enumerate(told["labels"]):
        probs = told["probs"][i]
        said = int(np.argmax(probs))
        ticks = "".join(
            f'<i style="background:{COLORS[LABELS[epoch[i]]]}" title="epoch {number}: {LABELS[epoch[i]]}"></i>'
            for number, epoch in enumerate(told["predicted"], 1)
        )
        figures.append(
            f'<figure><img class="fer-face" src="{png_url(np.ascontiguousarray(strip[:, 48 * i : 48 * (i + 1)]))}" '
            f'alt="Validation face labelled {LABELS[label]}"><div class="fer-ticks">{ticks}</div>'
            f'<figcaption class="{"fer-right" if said == label else ""}">{LABELS[said]} {probs[said] * 100:.0f} %'
            f"<span>labelled {LABELS[label]}</span></figcaption></figure>"
        )
    return f'<div class="fer-watched">{"".join(figures)}</div>'
