"""Everything needed to reproduce a table of faces."""

from __future__ import annotations

from typing import Any

from fer_core import __version__
from fer_core.models.bundle import MODEL_FILE
from fer_core.models.card import ModelCard

PROGRAM = f"fer_core {__version__}"


def metadata(card: ModelCard, label_set: str | None = None, **details: Any) -> dict[str, Any]:
    """Return the program and the model that made a table, with further details, as plain JSON values.

    Args:
        card: of the model.
        label_set: what faces were scored for; the model's default if None.
        details: settings, times and files.

    Raises:
        ModelError: the model does not answer for this label set.
    """
    return {
        "program": PROGRAM,
        "model": model_metadata(card, label_set),
        **details,
        "note": "Expressions as a network sees them, not what people feel.",
    }


def model_metadata(card: ModelCard, label_set: str | None = None) -> dict[str, Any]:
    """Return what tells a model's scores from those of another: its network, label set and calibration.

    Raises:
        ModelError: the model does not answer for this label set.
    """
    calibration = card.calibration_of(label_set)
    return {
        "name": card.name,
        "sha256": card.files.get(MODEL_FILE),
        "label_set": label_set or card.label_sets[0],
        "temperature": calibration.temperature,
        "entropy_power": calibration.entropy_power,
        "uncertain_below": calibration.uncertain_below,
    }
