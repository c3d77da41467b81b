"""What is wrong with a run's curves: signs that a person would look for, each as one sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fer_core.training.run.folder import best_epoch
from fer_core.training.run.records import ValidationRecord

# From so many epochs on curves say something.
_LEAST_EPOCHS = 5
# A validation loss so much above its lowest has risen, and is not just uneven.
_RISEN = 1.1
# Epochs without a better validation accuracy, as a share of all so far, at least `_STALL_EPOCHS`.
_STALL_SHARE, _STALL_EPOCHS = 0.3, 8


def alerts(history: pd.DataFrame, validation: ValidationRecord | None) -> list[str]:
    """Return what is wrong with a run so far, as sentences; empty while all is well.

    Args:
        history: as `RunFolder.history` reads it.
        validation: as `RunFolder.validation` reads it.
    """
    possible = [_weakness_sentence(validation), _overfitting(history), _stall(history)]
    return [text for text in possible if text]


def weakness(validation: ValidationRecord | None) -> str:
    """Return in a few words why a finished run is no success, or an empty text.

    It is no success if the network predicts one class only, or is hardly more often right than if it always named
    the most frequent one.
    """
    if validation is None or not (total := np.sum(validation.confusion)):
        return ""
    confusion = np.asarray(validation.confusion)
    predicted = np.flatnonzero(confusion.sum(axis=0))
    if len(predicted) == 1:
        return f"always {validation.class_names[predicted[0]]}"
    largest = float(confusion.sum(axis=1).max() / total)
    # Two standard errors: less than that is chance.
    margin = 2 * np.sqrt(largest * (1 - largest) / total)
    return "no better than chance" if np.trace(confusion) / total <= largest + margin else ""


def accuracy_of(validation: ValidationRecord) -> float:
    """Return the share of faces that were right, 0 to 1; NaN without any."""
    confusion = np.asarray(validation.confusion)
    return float(np.trace(confusion) / confusion.sum()) if confusion.any() else float("nan")


def _weakness_sentence(validation: ValidationRecord | None) -> str:
    reason = weakness(validation)
    if not reason:
        return ""
    confusion = np.asarray(validation.confusion)
    label = validation.class_names[int(confusion.sum(axis=1).argmax())]
    largest = confusion.sum(axis=1).max() / confusion.sum()
    if reason.startswith("always"):
        finding = f"The network predicts {reason.removeprefix('always ')} for every face."
    else:
        finding = (
            f"The network is right for {accuracy_of(validation) * 100:.0f} % of the faces; always saying {label} "
            f"would be right for {largest * 100:.0f} %."
        )
    return f"{finding} The learning rate may be too high, or the run too short."


def _overfitting(history: pd.DataFrame) -> str:
    losses = _at_last_size(history)
    if len(losses) < _LEAST_EPOCHS:
        return ""
    lowest = int(losses["val_loss"].argmin())
    before, now = losses.iloc[lowest], losses.iloc[-1]
    risen = now["val_loss"] > _RISEN * before["val_loss"] and now["loss"] < before["loss"]
    return (
        f"Overfitting: the validation loss has risen from {before['val_loss']:.2f} after epoch "
        f"{before['epoch'] + 1:.0f} to {now['val_loss']:.2f}, while the training loss fell."
        if risen
        else ""
    )


def _stall(history: pd.DataFrame) -> str:
    best = best_epoch(history)
    if best is None:
        return ""
    since = len(history) - 1 - best
    if since < max(_STALL_EPOCHS, _STALL_SHARE * len(history)):
        return ""
    return f"Stalled: the validation accuracy has not improved for {since} epochs, since epoch {best + 1}."


def _at_last_size(history: pd.DataFrame) -> pd.DataFrame:
    """Return the epochs on faces of the size of the last one: losses at other sizes do not compare."""
    if "size" not in history or not len(history):
        return history
    return history[history["size"] == history["size"].iloc[-1]]
