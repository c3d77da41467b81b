"""The validation of a run epoch by epoch: a slider, and what was measured after the epoch that it chooses."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fer_core.charts.timeline import QUIET
from fer_core.errors import RunError
from fer_core.training.run.folder import RunFolder


def epoch_by_epoch(run: RunFolder, draw: Callable[[int, int], tuple[go.Figure, str]]) -> None:
    """Draw the confusion and the watched faces after an epoch that a slider chooses, folded away at first.

    A run of an earlier version kept the last epoch only: of that nothing is drawn.

    Args:
        run: the run on show.
        draw: returns both, given when the record changed, in nanoseconds, and an epoch counted from 1.
    """
    changed_ns = run.epochs_file.stat().st_mtime_ns if run.epochs_file.exists() else 0
    if len(epochs := _recorded_epochs(run, changed_ns)) < 2:
        return
    # Only an open expander is drawn: a run that trains is looked at more than once a second.
    expander = st.expander("Epoch by epoch", icon=":material/history:", key="epochs_open", on_change="rerun")
    if not expander.open:
        return
    with expander:
        number = _epoch_slider(run, epochs)
        confusion, watched = draw(changed_ns, number)
        left, right = st.columns([5, 6], gap="medium")
        alt = f"confusion matrix after epoch {number}"
        left.plotly_chart(confusion, width="stretch", config=QUIET, key="epoch_confusion", alt=alt)
        if watched:
            right.html(watched)


def _epoch_slider(run: RunFolder, epochs: range) -> int:
    """Return the chosen epoch, counted from 1; the last until another is chosen, also while the run goes on."""
    first, last, kept = epochs[0] + 1, epochs[-1] + 1, f"epoch_of_{run.name}"
    # The slider grows by the epoch and is then a new one to Streamlit, which would forget what was chosen.
    key = f"{kept}_{last}"
    return st.slider(
        "Epoch",
        first,
        last,
        min(max(st.session_state.get(kept, last), first), last),
        key=key,
        on_change=lambda: st.session_state.update({kept: st.session_state[key]}),
    )


@lru_cache(maxsize=8)
def _recorded_epochs(run: RunFolder, changed_ns: int) -> range:
    """Return the epochs, counted from 0, that can be shown one by one."""
    try:
        records, last = run.validation_epochs(), run.validation()
    except RunError:
        return range(0)  # the page says above what is damaged
    if not records or last is None or any(np.shape(r.confusion) != np.shape(last.confusion) for r in records):
        return range(0)
    # A run that an earlier version began has only the epochs since it was resumed.
    return range(records[0].epoch, records[0].epoch + len(records))
