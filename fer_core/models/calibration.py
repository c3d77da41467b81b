"""How a model's scores are calibrated: the temperature of one label set, its threshold, and how good both are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from fer_core.errors import ModelError
from fer_core.models.temperature import Temperature


@dataclass(frozen=True)
class Calibration:
    """What makes the scores of one label set mean what they say. The default changes nothing and knows no threshold.

    Attributes:
        temperature: what logits are divided by where all scores are equal, over 0.
        entropy_power: how the temperature depends on a face's scores, see `Temperature`; 0 for one temperature.
        uncertain_below: best score below which a face is called uncertain, 0 to 1; None if it was not fitted.
        fitted_on: split that temperature and threshold were fitted on; None if they were not.
        target: accuracy that the threshold was chosen for, 0 to 1; None if it was not.
        by_split: measured figures by split: `images`, `ece_before` and `ece_after` the temperature, `coverage` (share
            of faces that are not uncertain) and `accuracy_covered`.
        against: what counted as right: "majority", what most of ten people saw, or "labels", the data set's own;
            None in cards that do not say.
    """

    temperature: float = 1.0
    entropy_power: float = 0.0
    uncertain_below: float | None = None
    fitted_on: str | None = None
    target: float | None = None
    by_split: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    against: str | None = None

    @property
    def scaling(self) -> Temperature:
        """What the logits are divided by."""
        return Temperature(self.temperature, self.entropy_power)

    def apply(self, probs: np.ndarray) -> np.ndarray:
        """Return calibrated scores, float32 (n, k), of scores as trained, float (n, k); rows sum to 1."""
        return self.scaling.apply(probs)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibration:
        """Return the calibration that `to_json` wrote; fields that are missing have their default.

        Raises:
            ModelError: a field is unknown.
        """
        if unknown := set(content) - {known.name for known in fields(cls)}:
            raise ModelError(
                f"Expected a calibration with the fields {', '.join(known.name for known in fields(cls))}; got also "
                f"{', '.join(sorted(unknown))}. The model card was altered."
            )
        return cls(**content)
