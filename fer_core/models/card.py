"""A model card: what a network is, what it was trained on and how good it was measured to be.

The card lies beside the weights as `card.json`. Label order travels with the weights.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.files import write_json
from fer_core.legacy import with_current_keys
from fer_core.models.calibration import Calibration
from fer_core.models.label_sets import require_label_set, score_outputs, trained_label_sets
from fer_core.models.temperature import Temperature


@dataclass(frozen=True)
class ModelCard:
    """What travels with a network's weights.

    Attributes:
        name: name of the model.
        architecture: its name in the registry.
        parameters: number of weights.
        labels: names of the scores, in their order.
        input: what the network takes, in words.
        data: data set name, hash and the number of images by split.
        training: the whole training configuration and what the run cost.
        metrics: measured figures by split; each split's entry names its protocol. What else was
            measured stands beside the splits: `robustness`, `end_to_end`; and `data`, the data set
            that all of it was measured on, where that need not be the model's own.
        calibration: as JSON, the fields of a `Calibration`; of a model with several label sets, one such mapping for
            each, by its name. Read it by `calibration_of`, write it by `with_calibrations`.
        files: SHA-256 of each file of the model, by file name.
        limits: known limits in plain words.
        label_sets: what it gives scores for, see `fer_core.models.label_sets`; the first is the default. Left out, it
            follows from `training`.
        folder: where the card was read from, None if it was made in memory; never saved.
    """

    name: str
    architecture: str
    parameters: int
    labels: tuple[str, ...]
    input: str = "48×48 gray, uint8 values 0 to 255; scaling is the network's first layer"
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    label_sets: tuple[str, ...] = ()
    folder: Path | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.label_sets:
            object.__setattr__(self, "label_sets", trained_label_sets(self.training.get("label_set", "fer")))
        if len(set(self.label_sets)) < len(self.label_sets):
            raise ModelError(f"Expected different label sets in the card of {self.name}; got {self.label_sets}.")

    def calibration_of(self, label_set: str | None = None) -> Calibration:
        """Return the calibration of a label set, the default one if None; one that changes nothing if none is known.

        Raises:
            ModelError: the model does not answer for this label set, or its calibration is not one.
        """
        name = require_label_set(label_set, self.label_sets, self.name)
        if not set(self.calibration) & set(self.label_sets):
            # Written for the only label set, or for the default one before there were others.
            return Calibration.from_json(self.calibration if name == self.label_sets[0] else {})
        return Calibration.from_json(self.calibration.get(name, {}))

    def with_calibrations(self, calibrations: Mapping[str, Calibration]) -> ModelCard:
        """Return the card with the calibrations of its label sets, by their names; those left out stay.

        Raises:
            ModelError: the model does not answer for one of these label sets.
        """
        for name in calibrations:
            require_label_set(name, self.label_sets, self.name)
        content = {name: calibrations.get(name, self.calibration_of(name)).to_json() for name in self.label_sets}
        return replace(self, calibration=content if len(content) > 1 else content[self.label_sets[0]])

    def output_of(self, label_set: str | None = None) -> str:
        """Return the name of the network's output with the scores of a label set, the default one if None.

        Raises:
            ModelError: the model does not answer for this label set.
        """
        return score_outputs(self.label_sets)[require_label_set(label_set, self.label_sets, self.name)]

    @property
    def temperature(self) -> Temperature:
        """What the logits of the default label set are divided by."""
        return self.calibration_of().scaling

    @property
    def uncertain_below(self) -> float | None:
        """Best score of the default label set below which a face is called uncertain, 0 to 1; None if not known."""
        return self.calibration_of().uncertain_below

    @property
    def label_set(self) -> str:
        """What it was trained on, as its training configuration names it: "fer", "ferplus" or "both".

        What it answers for stands in `label_sets`.
        """
        return self.training.get("label_set", "fer")

    @property
    def measured(self) -> Mapping[str, Mapping[str, Any]]:
        """The measured figures of the splits alone."""
        return {name: figures for name, figures in self.metrics.items() if "accuracy" in figures}

    @property
    def measured_on(self) -> Mapping[str, Any]:
        """What is known of the data set that it was measured on, with the fields of `data`."""
        return self.metrics.get("data", self.data)

    def save(self, path: Path) -> None:
        """Write the card to `path` as JSON."""
        write_json(path, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the card as it is saved."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}

    @classmethod
    def load(cls, path: Path) -> ModelCard:
        """Read the card at `path`.

        Raises:
            ModelError: the card is missing, is not JSON or lacks a field.
        """
        try:
            content = with_current_keys(json.loads(path.read_text(encoding="utf-8")))
            content["labels"] = tuple(content["labels"])
            content["limits"] = tuple(content.get("limits", ()))
            content["label_sets"] = tuple(content.get("label_sets", ()))
            return cls(**content, folder=path.parent)
        except FileNotFoundError as error:
            raise ModelError(
                f"{path} is missing. A model is a folder with its weights and card.json; "
                "install the package again or name another model."
            ) from error
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is not a model card: {error}. Expected the JSON that training wrote.") from error


def main_split(splits: Container[str]) -> str | None:
    """Return the split that speaks for a model: the one least used in its making; None if there is none."""
    return next((split for split in ("PrivateTest", "Test", "PublicTest", "Validation") if split in splits), None)


def is_fer2013(data: Mapping[str, Any]) -> bool:
    """Return whether what a card says of a data set is said of FER-2013: its two named test splits, not drawn.

    >>> is_fer2013({"images": {"Training": 28709, "PublicTest": 3589, "PrivateTest": 3589}})
    True
    >>> is_fer2013({})
    False
    """
    return not data.get("synthetic") and {"PublicTest", "PrivateTest"} <= data.get("images", {}).keys()
