"""What another person needs to make a table of faces again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fer_core import __version__
from fer_core.media.analysis import Choices
from fer_core.models.bundle import MODEL_FILE
from fer_core.models.card import ModelCard


def about(card: ModelCard, choices: Choices, files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the model, the settings and the files of a table, as plain JSON values.

    Args:
        card: of the model.
        choices: how the files were analysed.
        files: what `analyze_files` returned.
    """
    return {
        "program": f"fer_core {__version__}", "made_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": {"name": card.name, "sha256": card.files.get(MODEL_FILE), "label_set": card.label_set,
                  "temperature": card.temperature.scale, "entropy_power": card.temperature.entropy_power,
                  "uncertain_below": card.uncertain_below},
        "every_s": choices.every_s, "smoothing_s": choices.smoothing_s, "files": list(files),
        "note": "Expressions as a network sees them, not what people feel.",
    }
