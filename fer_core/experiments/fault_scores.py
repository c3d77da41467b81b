"""How many of the faults that were hidden in a data set corrections found, by precision and recall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_core.audit.corrections import EXCLUDE, Correction, Corrections, load_corrections
from fer_core.audit.corrections_file import corrections_path
from fer_core.audit.findings import Findings
from fer_core.audit.first_look import first_look
from fer_core.data.store import open_store
from fer_core.experiments.seeded_faults import BLANK, DUPLICATE, KINDS, LEAK, MISLABEL, Fault, FaultKey, load_key
from fer_core.formats import percent


@dataclass(frozen=True)
class KindScore:
    """How well one kind of fault was found.

    Attributes:
        kind: one of `KINDS`, or "all".
        hidden: faults of this kind.
        found: faults that corrections remove.
        wrong: corrections that aim at this kind where there is no fault.
    """

    kind: str
    hidden: int
    found: int
    wrong: int

    @property
    def precision(self) -> float | None:
        """Share of the corrections of this kind that remove a fault, 0 to 1; None without any."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Share of the faults of this kind that were found, 0 to 1; None without any."""
        return self.found / self.hidden if self.hidden else None


@dataclass(frozen=True)
class FaultScores:
    """How one list of corrections scores.

    Attributes:
        name: of the list.
        kinds: a score for each kind that was hidden or aimed at, and last for all together.
        right_labels: mislabelled images that got their true label back.
        original_faults: corrections of images that were faulty in the original; they do not count.
    """

    name: str
    kinds: tuple[KindScore, ...]
    right_labels: int
    original_faults: int


def score_lists(name: str, lists: Sequence[Path] = ()) -> list[FaultScores]:
    """Score lists of corrections of a data set, or its own if none are given.

    Raises:
        DataError: the data set has no known faults, or a list cannot be read or is about another data set.
    """
    faces, key = open_store(name), load_key(name)
    findings = first_look(faces).findings
    paths = list(lists) or [corrections_path(name)]
    return [
        score_corrections(
            path.stem if lists else name,
            load_corrections(path, faces.hash, len(faces), faces.class_names),
            key,
            findings,
        )
        for path in paths
    ]


def score_corrections(name: str, corrections: Corrections, key: FaultKey, findings: Findings) -> FaultScores:
    """Score corrections against the key.

    A duplicate is found if either image of the pair is excluded, a leak if the training image is. A wrong label is
    found if the image gets another label or is excluded. Any other correction is wrong. A wrong one aims at blank
    images if the image is blank, at copies if the image has one, else at labels.

    Args:
        name: of the list.
        corrections: of the data set.
        key: to its faults.
        findings: of the data set, its faults among them.
    """
    found = {fault: rows for fault in key.faults if (rows := _found_by(fault, corrections, findings))}
    right = {rows[0] for rows in found.values()}
    ignored = set(key.original_faults) - {fault.row for fault in key.faults} - right
    wrong = Counter(
        _aimed_at(correction, findings)
        for row, correction in corrections.current.items()
        if row not in right and row not in ignored
    )
    hidden, hits = Counter(fault.kind for fault in key.faults), Counter(fault.kind for fault in found)
    kinds = [KindScore(kind, hidden[kind], hits[kind], wrong[kind]) for kind in KINDS if hidden[kind] or wrong[kind]]
    return FaultScores(
        name,
        (*kinds, KindScore("all", hidden.total(), hits.total(), wrong.total())),
        sum(_has_right_label(fault, corrections) for fault in found),
        sum(row in ignored for row in corrections.current),
    )


def scores_to_json(scores: Sequence[FaultScores]) -> list[dict[str, Any]]:
    """Return scores as plain JSON values, with precision and recall."""
    return [
        {
            **asdict(score),
            "kinds": {
                kind.kind: {**asdict(kind), "precision": kind.precision, "recall": kind.recall} for kind in score.kinds
            },
        }
        for score in scores
    ]


def score_lines(scores: Sequence[FaultScores]) -> list[str]:
    """Return scores as lines to read on a terminal."""
    return [line for score in scores for line in _lines(score)]


def _lines(score: FaultScores) -> Iterator[str]:
    yield f"{score.name:<24}{'hidden':>8}{'found':>8}{'wrong':>8}{'precision':>11}{'recall':>9}"
    for kind in score.kinds:
        yield (
            f"  {kind.kind:<22}{kind.hidden:>8,}{kind.found:>8,}{kind.wrong:>8,}"
            f"{percent(kind.precision):>11}{percent(kind.recall):>9}"
        )
    yield f"  {score.right_labels:,} wrong labels were set right."
    if score.original_faults:
        yield f"  {score.original_faults:,} corrections of faults that the original has do not count."


def _found_by(fault: Fault, corrections: Corrections, findings: Findings) -> list[int]:
    """Return the rows whose correction removes the fault, the one to be credited first."""
    current = corrections.current
    if fault.kind == MISLABEL:
        correction = current.get(fault.row)
        given = findings.class_names[findings.labels[fault.row]]
        return [fault.row] if correction and correction.label != given else []
    rows = (fault.row, fault.twin) if fault.kind == DUPLICATE else (fault.row,)
    return [row for row in rows if row in current and current[row].action == EXCLUDE]


def _has_right_label(fault: Fault, corrections: Corrections) -> bool:
    label = corrections.current[fault.row].label if fault.kind == MISLABEL else ""
    return bool(label) and corrections.class_names.index(label) == fault.label


def _aimed_at(correction: Correction, findings: Findings) -> str:
    """Return the kind of fault that a wrong correction was most likely meant for."""
    if correction.action != EXCLUDE:
        return MISLABEL
    if findings.image_stats.nearly_blank[correction.row]:
        return BLANK
    copies = findings.exact_duplicates.with_row(correction.row)
    if len(copies) == 1:
        return MISLABEL
    return LEAK if len(set(findings.split[copies].tolist())) > 1 else DUPLICATE
