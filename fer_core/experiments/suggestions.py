"""Suggested corrections of a data set, counted and, if wanted, added to its list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from fer_core.audit.automatic_corrections import add_proposal, automatic_corrections
from fer_core.audit.corrections import Corrections, load_corrections
from fer_core.audit.corrections_file import change_corrections, corrections_path
from fer_core.audit.first_look import first_look
from fer_core.data.face_set import FaceSet
from fer_core.data.store import open_store
from fer_core.experiments.result import CorrectionCount, count_corrections


@dataclass(frozen=True)
class Suggestions:
    """What is suggested for a data set.

    Attributes:
        data: name of the data set.
        counts: suggestions by action and reason.
        added: how many of them were new and are now in the data set's list.
        already_marked: how many are about rows that somebody decided about before.
    """

    data: str
    counts: tuple[CorrectionCount, ...]
    added: int
    already_marked: int


def suggest(data: str, apply: bool = False) -> Suggestions:
    """Suggest corrections, and add those about rows that nobody has decided about to the list if `apply` is set.

    Raises:
        DataError: the data set or its list cannot be read or written.
    """
    faces = open_store(data)
    proposal = automatic_corrections(first_look(faces).findings, faces.hash, datetime.now(UTC))
    decided = {correction.row for correction in _saved(data, faces).log}
    if apply:
        apply_proposal(data, faces, proposal)
    new = sum(row not in decided for row in proposal.current)
    counts = count_corrections(proposal, faces, ("Training",) if "Training" in faces.splits else faces.splits)
    return Suggestions(data, counts, new if apply else 0, len(proposal) - new)


def apply_proposal(data: str, faces: FaceSet, proposal: Corrections) -> Corrections:
    """Add a proposal to the list of a data set as one step, and return the list.

    Raises:
        DataError: the list cannot be read or written.
        JobError: another process does not let go of it.
    """
    return change_corrections(
        data, faces.hash, len(faces), lambda corrections: add_proposal(corrections, proposal, datetime.now(UTC))
    )


def suggestion_lines(suggestions: Suggestions) -> list[str]:
    """Return suggestions as lines to read on a terminal."""
    lines = [f"Suggestions for {suggestions.data}:"]
    for count in suggestions.counts:
        elsewhere = f" ({count.elsewhere:,} more outside Training)" if count.elsewhere else ""
        lines.append(f"  {count.action} {count.training:,}: {count.reason}{elsewhere}")
    if not suggestions.counts:
        lines = [f"Nothing to suggest for {suggestions.data}."]
    if suggestions.already_marked:
        lines.append(f"  {suggestions.already_marked:,} of these rows were decided about before and stay as they are.")
    if suggestions.added:
        lines.append(
            f"Added {suggestions.added:,} corrections as one step. The Data set page shows them and can undo them."
        )
    return lines


def _saved(data: str, faces: FaceSet) -> Corrections:
    path = corrections_path(data)
    if not path.exists():
        return Corrections(faces.hash, len(faces))
    return load_corrections(path, faces.hash, len(faces))
