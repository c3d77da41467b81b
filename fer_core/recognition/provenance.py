"""What another person needs to make a table of faces again."""

from __future__ import annotations

from typing import Any

from fer_core import __version__
from fer_core.models.bundle import MODEL_FILE
from fer_core.models.card import ModelCard


def about(card: ModelCard, **what: Any) -> dict[str, Any]:
    """Return the program and the model of a table, and what else is told of it, as plain JSON values.

    Args:
        card: of the model.
        what: settings, times and files.
    """
    return {
        "program": f"fer_core {__version__}",
        "model": {
            "name": card.name,
            "sha256": card.files.get(MODEL_FILE),
            "label_set": card.label_set,
            "temperature": card.temperature.scale,
            "entropy_power": card.temperature.entropy_power,
            "uncertain_below": card.uncertain_below,
        },
        **what,
        "note": "Expressions as a network sees them, not what people feel.",
    }
