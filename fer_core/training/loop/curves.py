"""The accuracy and loss curves of a run as a picture."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fer_core.files import atomic_path


def save_curves(history: pd.DataFrame, path: Path) -> None:
    """Draw accuracy and loss of training and validation against the epoch into the PNG `path`.

    Args:
        history: one row an epoch with the columns epoch (from 0), accuracy, val_accuracy, loss, val_loss.
        path: the picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), dpi=120, layout="constrained")
    epochs = history["epoch"] + 1
    for axes, name, scale in zip(figure.subplots(1, 2), ("accuracy", "loss"), (100, 1), strict=True):
        for column, label, color in ((name, "training", "#8A93A0"), (f"val_{name}", "validation", "#2B5FC0")):
            values = history[column] * scale
            axes.plot(epochs, values, color=color, linewidth=2)
            axes.annotate(
                f" {label} {values.iloc[-1]:.{1 if scale == 100 else 2}f}",
                (epochs.iloc[-1], values.iloc[-1]),
                color=color,
                va="center",
            )
        axes.set(title="Accuracy, %" if name == "accuracy" else "Loss", xlabel="Epoch")
        axes.set_xlim(1, max(2, epochs.iloc[-1] * 1.3))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
    with atomic_path(path) as partial:
        figure.savefig(partial, format="png")
