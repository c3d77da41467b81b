"""What a recording was made with: the model and the settings, and what of them changed on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select

from fer_core.models.card import ModelCard
from fer_core.recognition.provenance import model_metadata
from fer_core.sessions.schema import models


@dataclass(frozen=True, eq=False)
class RecordedSettings:
    """What frames are analysed with.

    Attributes:
        card: of the model.
        label_set: what faces are scored for; the model's default if None.
        values: settings by name, as plain JSON values, such as `smoothing_s` and `mirrored`.
    """

    card: ModelCard
    label_set: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> dict[str, Any]:
        """What tells the model's scores from those of another, as plain JSON values."""
        return model_metadata(self.card, self.label_set)

    def changes_since(self, before: RecordedSettings) -> dict[str, Any]:
        """Return what is not as it was, by name: settings, and `model` and `label_set`."""
        now, then = self._all(), before._all()
        return {name: value for name, value in now.items() if then.get(name) != value}

    def _all(self) -> dict[str, Any]:
        model = self.model
        return {**self.values, "model": model["name"], "sha256": model["sha256"], "label_set": model["label_set"]}


def model_id(connection: Connection, about: Mapping[str, Any]) -> int:
    """Return the number of a model in the database, which learns it if it is new.

    Args:
        connection: in a transaction.
        about: what `model_metadata` returns.
    """
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    known = connection.execute(select(models.c.id).where(models.c.key == key)).scalar()
    if known is not None:
        return known
    values = {"key": key, "name": str(about.get("name", "")), "sha256": about.get("sha256"), "about": dict(about)}
    return connection.execute(insert(models).returning(models.c.id), values).scalar_one()
