"""The run on show: its progress, its growing curves, and what it predicts for the validation faces.

A fragment reads the run's files more than once a second while a process works on it. Nothing here trains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from fer_core.charts.timeline import QUIET
from fer_core.charts.training import confusion_figure, learning_rate_curve, run_curves
from fer_core.emotions import LABELS, class_colors
from fer_core.errors import RunError
from fer_core.face_size import FACE_SIZE
from fer_core.formats import format_duration
from fer_core.training.config import RunConfig
from fer_core.training.run.alerts import accuracy_of, alerts, weakness
from fer_core.training.run.epochs import record_after
from fer_core.training.run.folder import RunFolder, RunStatus
from fer_core.training.run.records import ValidationRecord, WatchedFaces
from fer_core.training.timing.eta import Eta, estimate_eta
from fer_core.ui.components.access import is_operator
from fer_core.ui.components.pictures import png_url
from fer_core.ui.components.timers import draw_every
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.training.actions import actions, ask_delete, exporting
from fer_core.ui.training.epochs import epoch_by_epoch
from fer_core.ui.training.form import FOLLOWED

_LOOK_S = 0.7
_STATES = {
    "waiting": "waits for its turn",
    "starting": "starting",
    "running": "training",
    "measuring": "measuring",
    "stopped": "stopped",
    "finished": "finished",
    "failed": "failed",
    "interrupted": "interrupted",
    "broken": "broken",
}


def followed_run(runs: Sequence[RunFolder]) -> RunFolder | None:
    """Return the run to show: the one that was chosen, else the one that is training, else the newest.

    It stays the same until another is chosen, also when it stops.
    """
    by_name = {run.name: run for run in runs}
    if run := by_name.get(st.session_state.get(FOLLOWED)):
        return run
    live = (run for run in reversed(runs) if (status := run.status()) and status.live)
    run = next(live, runs[0] if runs else None)
    if run:
        st.session_state[FOLLOWED] = run.name
    return run


def follow(run: RunFolder | None) -> None:
    """Show a run, and go on showing it while it lives."""
    if run is None:
        empty_state(
            "No run yet",
            "Its curves appear here while it trains, and stay here afterwards. "
            "Start training with the settings on the left; they need no change.",
            420,
        )
        return
    status = run.status()
    busy = status is None or status.live or exporting(run)
    draw_every(_LOOK_S if busy else None, _follow, run, busy)
    _note(run)


def broken_panel(problems: Mapping[str, str], runs: Sequence[RunFolder]) -> None:
    """Say what is wrong with each run that cannot be shown, and offer to delete it."""
    for run in runs:
        if run.name not in problems:
            continue
        with st.container(horizontal=True, vertical_alignment="center", key=f"broken_{run.name}"):
            st.warning(f"**The run {run.name} cannot be read.** {problems[run.name]}", icon=":material/warning:")
            if is_operator() and st.button("Delete", icon=":material/delete:", key=f"delete_broken_{run.name}"):
                ask_delete(run)


def _follow(run: RunFolder, was_busy: bool) -> None:
    status = run.status()
    if (status is None or status.live or exporting(run)) != was_busy:
        st.rerun()  # the timer of this fragment changes with it
    status = status or RunStatus("interrupted", 0, 0.0, message="It was never started, or is just starting.")
    try:
        config, history, progress = run.config(), run.history(), run.progress()
    except (RunError, OSError) as error:
        if run.path.exists():
            st.error(f"**The run {run.name} cannot be read.** {error}", icon=":material/error:")
        return
    validation, damage = _validation(run)
    weak = weakness(validation) if status.state == "finished" else ""
    _headline(run, status, estimate_eta(config, status, history, progress), config, weak, validation)
    actions(run, status, weak)
    _curves(config, status, history, progress)
    for text in (*alerts(history, validation), *damage):
        st.caption(f":material/warning: {text}")
    if validation:
        _last_epoch(run, validation, config.label_sets[0])
        truth, dark = _truth(config.label_sets[0]), st.context.theme.type == "dark"
        epoch_by_epoch(run, lambda changed_ns, epoch: _drawn(run, changed_ns, truth, dark, epoch))


def _validation(run: RunFolder) -> tuple[ValidationRecord | None, list[str]]:
    """Return what was measured after the last epoch, and what is damaged."""
    damage = run.damaged_records()
    try:
        return run.validation(), damage
    except RunError:
        return None, damage


def _curves(config: RunConfig, status: RunStatus, history: pd.DataFrame, progress: pd.DataFrame) -> None:
    columns = st.columns([5, 5, 4])  # a chart is at least 150 px wide
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


def _note(run: RunFolder) -> None:
    """Draw the note of a run, which can be edited."""
    key = f"note_{run.name}"

    def save() -> None:
        try:
            run.write_note(st.session_state[key])
        except OSError as error:
            st.toast(f"The note was not saved. {error}", icon=":material/error:")

    st.text_input(
        "Note",
        run.note(),
        key=key,
        on_change=save,
        placeholder="Note: why this run, what to try next",
        label_visibility="collapsed",
    )


def _headline(
    run: RunFolder, status: RunStatus, eta: Eta, config: RunConfig, weak: str, validation: ValidationRecord | None
) -> None:
    parts = _parts(status, eta, config)
    if weak and validation:
        parts[0] = f"finished, {accuracy_of(validation) * 100:.0f} %, {weak}: learning rate too high?"
    spans = [f"<b>{escape(run.name)}</b>", *(f"<span>{escape(part)}</span>" for part in parts)]
    st.html(f'<div class="fer-run">{"".join(spans)}</div>')
    st.progress(1.0 if status.state == "finished" else eta.share)
    if status.state == "failed":
        st.error(f"**The run failed.** {status.message}", icon=":material/error:")
    elif status.state in ("interrupted", "broken"):
        st.warning(f"**The run {_PROBLEMS[status.state]}.** {status.message}", icon=":material/bolt:")


_PROBLEMS = {"interrupted": "was interrupted", "broken": "has no readable status"}


def _parts(status: RunStatus, eta: Eta, config: RunConfig) -> list[str]:
    parts = [_STATES[status.state]]
    if status.state == "running":
        parts.append(f"epoch {min(eta.epoch + 1, config.epochs)} of {config.epochs}")
        parts.append(f"batch {eta.step} of {status.steps_per_epoch}")
        if eta.images_per_s:
            parts.append(f"{eta.images_per_s:,.0f} images/s")
        if eta.left_s is not None:
            parts.append(f"{format_duration(eta.left_s)} left")
    elif status.state not in ("waiting", "starting"):
        parts.append(f"{eta.epoch} of {config.epochs} epochs")
    if eta.best is not None:
        parts.append(f"best {eta.best * 100:.1f} % in epoch {eta.best_epoch}")
    return parts


def _last_epoch(run: RunFolder, validation: ValidationRecord, label_set: str) -> None:
    changed_ns = run.validation_file.stat().st_mtime_ns if run.validation_file.exists() else 0
    confusion, watched = _drawn(run, changed_ns, _truth(label_set), st.context.theme.type == "dark")
    left, right = st.columns([5, 6], gap="medium")
    with left:
        st.caption(f"Validation after epoch {validation.epoch + 1}")
        st.plotly_chart(
            confusion, width="stretch", config=QUIET, key="curve_confusion", alt="confusion matrix of the last epoch"
        )
    with right:
        if watched:
            st.caption("The same validation faces after each epoch: what the network says, and what is true")
            st.html(watched)


def _truth(label_set: str) -> str:
    """Return what stands before the true expression of a face: the truth of votes is what most people see."""
    return "labelled" if label_set == "fer" else "seen as"


# What changes once an epoch is drawn once an epoch, so that looking often costs the server little.
_rate_curve = lru_cache(maxsize=8)(learning_rate_curve)


@lru_cache(maxsize=32)
def _drawn(run: RunFolder, changed_ns: int, truth: str, dark: bool, epoch: int | None = None) -> tuple[go.Figure, str]:
    """Draw the confusion after an epoch, counted from 1 (None: the last), and the watched faces as HTML.

    `changed_ns` tells when it is new.
    """
    validation = run.validation()
    if epoch is not None:
        records = run.validation_epochs()
        validation = record_after(validation, records[epoch - 1 - records[0].epoch])
    strip = cv2.imread(str(run.faces_file), cv2.IMREAD_GRAYSCALE) if run.faces_file.exists() else None
    whole = strip is not None and strip.shape == (FACE_SIZE, FACE_SIZE * len(validation.faces.labels))
    return (
        confusion_figure(validation.confusion, dark=dark, class_names=validation.class_names),
        watched_html(strip, validation.faces, truth, validation.class_names) if whole else "",
    )


def watched_html(strip: np.ndarray, faces: WatchedFaces, truth: str, class_names: tuple[str, ...] = LABELS) -> str:
    """Return the watched faces with their true class, the last prediction and one tick an epoch.

    Args:
        strip: uint8 (48, 48 n), the faces side by side.
        faces: what the network said about them.
        truth: what stands before the true class, such as "labelled".
        class_names: of the data set.
    """
    names, colors = [escape(name) for name in class_names], list(class_colors(class_names).values())
    figures = []
    for i, label in enumerate(faces.labels):
        probs = faces.probs[i]
        predicted = int(np.argmax(probs))
        ticks = "".join(
            f'<i style="background:{colors[epoch[i]]}" title="epoch {number}: {names[epoch[i]]}"></i>'
            for number, epoch in enumerate(faces.predicted, 1)
        )
        image = np.ascontiguousarray(strip[:, FACE_SIZE * i : FACE_SIZE * (i + 1)])
        figures.append(
            f'<figure><img class="fer-face" src="{png_url(image)}" '
            f'alt="Validation face {truth} {names[label]}"><div class="fer-ticks">{ticks}</div>'
            f"<figcaption>{names[predicted]} {probs[predicted] * 100:.0f} %{' ✓' * (predicted == label)}"
            f"<span>{truth} {names[label]}</span></figcaption></figure>"
        )
    return f'<div class="fer-watched">{"".join(figures)}</div>'
