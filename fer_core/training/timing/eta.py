"""How far a run is and how long it still takes, from the files it writes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunStatus, best_epoch

# Images per second are those of the last few seconds, as a moving figure should be.
_WINDOW_S = 10.0


@dataclass(frozen=True)
class Eta:
    """What a page says about a run that is going on.

    Attributes:
        epoch: finished epochs.
        step: finished steps of the current epoch.
        share: of all epochs that is done, 0 to 1.
        images_per_s: now; None before two measurements.
        left_s: seconds until the last epoch is done; None while unknown.
        best: best validation accuracy so far, 0 to 1, or None.
        best_epoch: its epoch, counted from 1.
    """

    epoch: int
    step: int
    share: float
    images_per_s: float | None
    left_s: float | None
    best: float | None
    best_epoch: int | None


def estimate_eta(config: RunConfig, status: RunStatus, history: pd.DataFrame, progress: pd.DataFrame) -> Eta:
    """Return how far a run is.

    Args:
        config: of the run.
        status: its latest.
        history: as `RunFolder.history` reads it.
        progress: as `RunFolder.progress` reads it; the current epoch.
    """
    steps = max(1, status.steps_per_epoch)
    done = len(history)
    step = int(progress["step"].iloc[-1]) if len(progress) and progress["epoch"].iloc[-1] == done else 0
    within = step / steps
    speed = _steps_per_s(progress)
    best = best_epoch(history)
    return Eta(
        epoch=done,
        step=step,
        share=min(1.0, (done + within) / config.epochs),
        images_per_s=None if speed is None else speed * config.batch_size,
        left_s=_left_s(config, done, within, steps, history, speed),
        best=None if best is None else float(history["val_accuracy"].iloc[best]),
        best_epoch=None if best is None else best + 1,
    )


def _steps_per_s(progress: pd.DataFrame) -> float | None:
    # The first row holds the compiling, so speed is measured between rows.
    recent = progress[progress["seconds"] >= progress["seconds"].max() - _WINDOW_S] if len(progress) else progress
    if len(recent) < 2:
        return None
    first, last = recent.iloc[0], recent.iloc[-1]
    span_s = last["seconds"] - first["seconds"]
    return float((last["step"] - first["step"]) / span_s) if span_s > 0 else None


def _left_s(
    config: RunConfig, done: int, within: float, steps: int, history: pd.DataFrame, speed: float | None
) -> float | None:
    if done >= config.epochs:
        return 0.0
    # Seconds for each pixel of a face, since faces that are still to grow will take longer.
    if len(history):
        recent = range(max(0, done - 3), done)
        # What compiling took, which the epochs to come do not need.
        startup_s = history["startup_s"].fillna(0) if "startup_s" in history else 0
        seconds = (history["seconds"] - startup_s).iloc[-3:].array
        pixel_s = float((seconds / [config.size_at(epoch) ** 2 for epoch in recent]).mean())
    elif speed:
        pixel_s = steps / speed / config.size_at(done) ** 2
    else:
        return None
    left = [config.size_at(epoch) ** 2 for epoch in range(done, config.epochs)]
    return (sum(left) - within * left[0]) * pixel_s
