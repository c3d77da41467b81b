"""The cleaned data set: corrections applied, as files that can be read in again, with a card of what was done."""

from __future__ import annotations

import errno
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fer_core import __version__
from fer_core.audit.corrections import EXCLUDE, RELABEL, Corrections
from fer_core.data.csv_writer import write_table, write_votes
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.prepare import write_png_tree
from fer_core.errors import DataError
from fer_core.files import atomic_folder, write_json, write_text
from fer_core.formats import count_text

FORMATS: tuple[str, ...] = ("csv", "folders")
CARD_FILE, CARD_TEXT, CORRECTIONS_FILE = "data_card.json", "DATA_CARD.md", "corrections.csv"
TABLE_FILE, VOTES_FILE, IMAGES_FOLDER = "faces.csv", "votes.csv", "images"
_NO_REASON = "no reason given"


def cleaned_set(faces: FaceSet, corrections: Corrections) -> FaceSet:
    """Return a data set with its corrections applied, in every split.

    Raises:
        DataError: every face is excluded.
    """
    keep, labels = corrections.apply(faces.labels)
    if not keep.any():
        raise DataError("Every face is excluded, so nothing is left to write. Take some corrections back.")
    rows = np.flatnonzero(keep)
    return replace(
        faces,
        images=faces.images[rows],
        labels=labels[rows],
        split=faces.split[rows],
        votes=None if faces.votes is None else faces.votes[rows],
    )


def data_card(
    name: str, faces: FaceSet, cleaned: FaceSet, corrections: Corrections, form: str, when: datetime
) -> dict[str, Any]:
    """Describe a cleaned data set as plain JSON values.

    Args:
        name: of the data set.
        faces: before.
        cleaned: after.
        corrections: that were applied.
        form: one of `FORMATS`.
        when: it was written, with a time zone.
    """
    excluded = [mark for mark in corrections.current.values() if mark.action == EXCLUDE]
    relabelled = [mark for mark in corrections.current.values() if mark.action == RELABEL]
    changes = Counter((faces.class_names[faces.labels[mark.row]], mark.label) for mark in relabelled)
    return {
        "name": name,
        "source": {
            "name": faces.source.name,
            "kind": faces.source.kind,
            "synthetic": faces.source.synthetic,
            "notes": list(faces.source.notes),
            "unreadable": len(faces.source.unreadable),
        },
        "format": form,
        "votes": faces.votes is not None,
        "faces": {"before": len(faces), "after": len(cleaned)},
        "sha256": {"before": faces.hash, "after": cleaned.hash},
        "counts": {"before": faces.counts(), "after": cleaned.counts()},
        "excluded": {
            "faces": len(excluded),
            "by_reason": _by_reason([mark.reason for mark in excluded]),
            "by_split": dict(Counter(SPLITS[faces.split[mark.row]] for mark in excluded)),
        },
        "relabelled": {
            "faces": len(relabelled),
            "by_reason": _by_reason([mark.reason for mark in relabelled]),
            "changes": [{"from": old, "to": new, "faces": count} for (old, new), count in changes.most_common()],
        },
        "corrections_sha256": corrections_hash(corrections),
        "created": when.astimezone(UTC).isoformat(timespec="seconds"),
        "program": f"fer_core {__version__}",
    }


def corrections_hash(corrections: Corrections) -> str:
    """Return the SHA-256 of what corrections do: data set, rows, actions and labels, whenever they were made."""
    lines = [f"{mark.row},{mark.action},{mark.label}" for mark in corrections.current.values()]
    return hashlib.sha256("\n".join([corrections.data, *lines]).encode()).hexdigest()


def card_text(card: Mapping[str, Any]) -> str:
    """Return a data card as Markdown."""
    excluded, relabelled, source = card["excluded"], card["relabelled"], card["source"]
    before, after = card["faces"]["before"], card["faces"]["after"]
    drawn = (
        " They were drawn by this program; they are not photographs and not FER-2013." if source["synthetic"] else ""
    )
    lines = [
        f"# {card['name']}, cleaned",
        "",
        f"{count_text(after, 'face')} of {before:,}, 48 × 48 pixels, gray.{drawn} "
        f"Read from {source['name'] or 'memory'}; written on {card['created'][:10]} by {card['program']}.",
        "",
        "## What was changed",
        "",
        f"- Excluded: {count_text(excluded['faces'], 'face')}{_in_brackets(excluded['by_split'])}",
        *(f"  - {reason}: {count:,}" for reason, count in excluded["by_reason"].items()),
        f"- Relabelled: {count_text(relabelled['faces'], 'face')}",
        *(f"  - {reason}: {count:,}" for reason, count in relabelled["by_reason"].items()),
        "",
        *_changes_table(relabelled["changes"]),
        "## Faces by split and class",
        "",
        "Before → after.",
        "",
        *_counts_table(card["counts"]["before"], card["counts"]["after"]),
        "",
        "## Identity",
        "",
        f"- SHA-256 of the content before: `{card['sha256']['before']}`",
        f"- SHA-256 of the content after: `{card['sha256']['after']}`",
        f"- SHA-256 of the corrections: `{card['corrections_sha256']}` (the list itself is {CORRECTIONS_FILE})",
    ]
    if source["notes"]:
        lines += ["", "## Notes on the source", "", *(f"- {note}" for note in source["notes"])]
    return "\n".join(lines) + "\n"


def write_cleaned(
    name: str,
    faces: FaceSet,
    corrections: Corrections,
    out_dir: Path,
    form: str,
    when: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Write a data set with its corrections applied and a data card beside it, and return the card.

    The folder appears under its name when it is whole. `read_source` reads it.

    Args:
        name: of the data set.
        faces: as they were read in.
        corrections: to apply.
        out_dir: a folder that is empty or not there.
        form: "csv" for a table as fer2013.csv with the votes beside it, "folders" for PNG files.
        when: now, with a time zone.
        progress: called with the number of images written so far and in all.

    Raises:
        DataError: nothing is left, `out_dir` holds something or cannot be written, or the disk is full.
    """
    if form not in FORMATS:
        raise DataError(f"Expected the format {' or '.join(FORMATS)}; got {form!r}.")
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise DataError(f"{out_dir} already holds something. Choose a folder that is empty or new.")
    cleaned = cleaned_set(faces, corrections)
    card = data_card(name, faces, cleaned, corrections, form, when)
    try:
        with atomic_folder(out_dir) as partial:
            _write_faces(cleaned, partial, form, progress)
            write_json(partial / CARD_FILE, card)
            write_text(partial / CARD_TEXT, card_text(card))
            write_text(partial / CORRECTIONS_FILE, corrections.to_csv())
    except OSError as error:
        reason = "the disk is full; free some space" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise DataError(f"The data set cannot be written to {out_dir}: {reason}. Nothing was left there.") from error
    return card


def _write_faces(faces: FaceSet, folder: Path, form: str, progress: Callable[[int, int], None] | None) -> None:
    if form == "folders":
        write_png_tree(faces, folder / IMAGES_FOLDER, progress, join_tests=False)
        return
    write_table(faces, folder / TABLE_FILE, progress)
    if faces.votes is not None:
        write_votes(faces, folder / VOTES_FILE)


def _by_reason(reasons: Sequence[str]) -> dict[str, int]:
    return dict(Counter(reason or _NO_REASON for reason in reasons).most_common())


def _in_brackets(counts: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{count:,} in {split}' for split, count in counts.items())})" if counts else ""


def _changes_table(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    if not changes:
        return []
    rows = [f"| {change['from']} | {change['to']} | {change['faces']:,} |" for change in changes]
    return ["| from | to | faces |", "| --- | --- | ---: |", *rows, ""]


def _counts_table(before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]]) -> list[str]:
    classes = list(dict.fromkeys(name for counts in before.values() for name in counts))
    lines = [f"| split | {' | '.join(classes)} | all |", f"| --- |{' ---: |' * (len(classes) + 1)}"]
    for split, counts in before.items():
        left = after.get(split, {})
        cells = [_cell(counts.get(name, 0), left.get(name, 0)) for name in classes]
        lines.append(f"| {split} | {' | '.join([*cells, _cell(sum(counts.values()), sum(left.values()))])} |")
    return lines


def _cell(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} → {after:,}"
