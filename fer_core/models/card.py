"""A model card: what a network is, what it was trained on and how good it was measured to be.

The card lies beside the weights as `card.json`. Label order travels with the weights.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.files import write_json
from fer_core.legacy import with_current_keys
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
        calibration: what its scores are divided by, `temperature` × entropy ** `entropy_power`, as `Temperature`
            tells; the split both were fitted on, the best score below which a face is called
            uncertain, and how good both are.
        files: SHA-256 of each file of the model, by file name.
        limits: known limits in plain words.
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
    folder: Path | None = field(default=None, compare=False, repr=False)

    @property
    def temperature(self) -> Temperature:
        """What the logits are divided by, so that scores mean what they say."""
        return temperature_of(self.calibration)

    @property
    def uncertain_below(self) -> float | None:
        """The best score below which a face should be called uncertain, 0 to 1; None if nothing is known."""
        return self.calibration.get("uncertain_below")

    @property
    def label_set(self) -> str:
        """The labels that it learned: "fer", those of FER-2013, or "ferplus", ten people's votes on each face."""
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
            return cls(**content, folder=path.parent)
        except FileNotFoundError as error:
            raise ModelError(
                f"{path} is missing. A model is a folder with its weights and card.json; "
                "install the package again or name another model."
            ) from error
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is not a model card: {error}. Expected the JSON that training wrote.") from error


def temperature_of(calibration: Mapping[str, Any]) -> Temperature:
    """Return the temperature that a card's `calibration` names; one that changes nothing if it names none."""
    return Temperature(float(calibration.get("temperature", 1.0)), float(calibration.get("entropy_power", 0.0)))


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
