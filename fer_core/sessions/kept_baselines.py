"""A participant's neutral baseline, kept for the sessions to come if that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, delete, insert, select

from fer_core.errors import SessionError
from fer_core.models.label_sets import title_of
from fer_core.recognition.baseline import Baseline
from fer_core.sessions.database import Database, open_database
from fer_core.sessions.rows import iso_text, ms_of
from fer_core.sessions.schema import kept_baselines

# What scores depend on. The name is left out: a model may be copied.
_SAME = ("sha256", "label_set", "temperature", "entropy_power")


@dataclass(frozen=True, eq=False)
class KeptBaseline:
    """What is kept of a participant.

    Attributes:
        baseline: with the session that it was made in as its origin.
        model: what gave the scores that it was made of, as plain JSON values.
        kept_utc: when it was kept, as text.
    """

    baseline: Baseline
    model: Mapping[str, Any]
    kept_utc: str

    def mismatch(self, model: Mapping[str, Any], labels: tuple[str, ...]) -> str:
        """Return why it is not to be used with a model, as text; empty if it is.

        Args:
            model: what `model_metadata` returns.
            labels: names of the model's scores.
        """
        same = all(self.model.get(name) == model.get(name) for name in _SAME)
        if same and self.baseline.labels == labels:
            return ""
        return (
            f"It was made of scores of {_model_text(self.model)}, and cannot be used with those of "
            f"{_model_text(model)}. Choose that model, or set it again."
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"kept_utc": self.kept_utc, "model": dict(self.model), **self.baseline.to_json()}


def keep_baseline(
    study: str,
    participant: str,
    baseline: Baseline,
    model: Mapping[str, Any],
    origin: str,
    database: Database | None = None,
    now_utc: datetime | None = None,
) -> None:
    """Keep a participant's baseline, in place of the one before.

    Args:
        study: of the participant.
        participant: a code.
        baseline: to keep.
        model: what `model_metadata` returns of the model that gave its scores.
        origin: name of the session that it was made in, or of the stream.
        database: the one of the settings if None.
        now_utc: the time of day; now if None.

    Raises:
        SessionError: no participant is named, or it cannot be written.
    """
    if not participant:
        raise SessionError("A baseline is kept for a participant. Name one in the details.")
    values = {
        "study": study,
        "participant": participant,
        "model": dict(model),
        "labels": list(baseline.labels),
        "logits": baseline.logits.tolist(),
        "frames": baseline.frames,
        "first_s": baseline.first_s,
        "last_s": baseline.last_s,
        "origin": origin,
        "kept_ms": ms_of(now_utc or datetime.now(UTC)),
    }
    with (database or open_database()).begin() as connection:
        connection.execute(delete(kept_baselines).where(of_participant(study, participant)))
        connection.execute(insert(kept_baselines), values)


def kept_baseline(study: str, participant: str, database: Database | None = None) -> KeptBaseline | None:
    """Return what is kept of a participant, None if nothing is."""
    with (database or open_database()).begin() as connection:
        row = connection.execute(select(kept_baselines).where(of_participant(study, participant))).first()
    if row is None:
        return None
    logits = np.array(row.logits, np.float32)
    baseline = Baseline(tuple(row.labels), logits, row.frames, row.first_s, row.last_s, row.origin)
    return KeptBaseline(baseline, row.model, iso_text(row.kept_ms))


def forget_baseline(study: str, participant: str, database: Database | None = None) -> None:
    """Delete what is kept of a participant."""
    database = database or open_database()
    with database.begin() as connection:
        connection.execute(delete(kept_baselines).where(of_participant(study, participant)))
    database.wipe()


def participants_with_baseline(database: Database | None = None) -> list[tuple[str, str]]:
    """Return study and participant of all baselines that are kept."""
    with (database or open_database()).begin() as connection:
        rows = connection.execute(select(kept_baselines.c.study, kept_baselines.c.participant))
        return [(row.study, row.participant) for row in rows]


def of_participant(study: str, participant: str) -> ColumnElement[bool]:
    """Return the condition for a participant's row."""
    return and_(kept_baselines.c.study == study, kept_baselines.c.participant == participant)


def _model_text(model: Mapping[str, Any]) -> str:
    label_set = model.get("label_set")
    return f"{model.get('name', 'an unknown model')}{f' ({title_of(label_set)})' if label_set else ''}"
