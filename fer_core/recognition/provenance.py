"""Everything needed to reproduce a table of faces."""

from __future__ import annotations

from typing import Any

from fer_core import __version__
from fer_core.models.bundle import MODEL_FILE
from fer_core.models.card import ModelCard


def metadata(card: ModelCard, label_set: str | None = None, **details: Any) -> dict[str, Any]:
    """Return the program and the model that made a table, with further details, as plain JSON values.

    Args:
        card: of the model.
        label_set: what faces were scored for; the model's default if None.
        details: settings, times and files.

    Raises:
        ModelError: the model does not answer for this label set.
    """
    calibration = card.calibration_of(label_set)
    return {
        "program": f"fer_core {__version__}",
        "model": {
            "name": card.name,
            "sha256": card.files.get(MODEL_FILE),
            "label_set": label_set or card.label_sets[0],
            "temperature": calibration.temperature,
            "entropy_power": calibration.entropy_power,
            "uncertain_below": calibration.uncertain_below,
        },
        **details,
        "note": "Expressions as a network sees them, not what people feel.",
    }
