"""The folder of an archive: made for one model and one set of choices, used by one command at a time.

`about.json` says how its rows were made, `manifest.jsonl` what became of each file, `parts` holds the rows.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fer_core.archive.parts import PARTS, Work
from fer_core.archive.remote import signature_at
from fer_core.archive.source import DONE, WAITING, Entry, part_name
from fer_core.background.locks import take
from fer_core.errors import ArchiveError
from fer_core.files import read_json, remove_abandoned, write_json

ABOUT, MANIFEST = "about.json", "manifest.jsonl"
_LOCK = ".lock"
# What must be the same for all rows of an archive.
_SAME = ("model", "every_s", "smoothing_s", "start_s", "end_s")
# And this, in those that tell it: earlier versions did not divide videos.
_SAME_IF_TOLD = "segment_s"


@contextmanager
def open_archive(folder: Path, metadata: Mapping[str, Any]) -> Generator[None, None, None]:
    """Make the folder of an archive, or check that an existing one was made in the same way, and lock it meanwhile.

    Args:
        folder: new, empty, or an archive.
        metadata: of the rows to come, as `provenance.metadata` returns them with those of `Choices`.

    Raises:
        ArchiveError: the folder holds something else, or rows of another model or other choices; another command
            works on it; or it cannot be written.
    """
    about = folder / ABOUT
    try:
        if folder.is_dir() and not about.exists() and set(os.listdir(folder)) - {_LOCK}:
            raise ArchiveError(f"{folder} holds other files and no {ABOUT}. Name a new or an empty folder.")
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
        lock = take(folder / _LOCK)
        if lock is None:
            raise ArchiveError(f"Another command works on {folder}. Wait for its end, or stop it.")
    except OSError as error:
        raise ArchiveError(f"{folder} cannot be written: {error.strerror}. Choose another place.") from error
    try:
        _check(about, metadata)
        remove_abandoned(folder / PARTS, ".partial-*")
        yield
    finally:
        os.close(lock)


def _check(about: Path, metadata: Mapping[str, Any]) -> None:
    """Write how the rows are made, or compare it with what an earlier command wrote."""
    if not about.exists():
        write_json(about, metadata)
        return
    try:
        before = read_json(about)
        differences = [
            f"{name} was {_shown(before[name])} and is {_shown(metadata[name])} now"
            for name in (*_SAME, *([_SAME_IF_TOLD] if _SAME_IF_TOLD in before else []))
            if before[name] != metadata[name]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveError(f"{about} is damaged ({error}). Restore it, or choose a new folder.") from error
    if differences:
        raise ArchiveError(
            f"{about.parent} was made in another way: {'; '.join(differences)}. Rows of both kinds are not mixed: "
            "choose a new folder, or what it was made with."
        )


def _shown(value: Any) -> str:
    if not isinstance(value, Mapping):
        return "the end" if value is None else str(value)
    calibration = f"{value['temperature']}, {value['entropy_power']}, {value['uncertain_below']}"
    return f"{value['name']} ({str(value['sha256'])[:12]}, label set {value['label_set']}, calibration {calibration})"


def plan(work: Work, entries: Mapping[str, Entry], files: Sequence[str]) -> list[Entry]:
    """Return the files that are to be analysed: new, changed, waiting and failed ones, and those without their part.

    A file that was begun before comes after all that were not, so that one that crashes the program keeps none of the
    others from it. The part of a file that changed since is deleted.

    Args:
        work: how they are analysed.
        entries: of the manifest.
        files: their names or URLs, as `find_sources` returns them.
    """
    parts = set(os.listdir(work.folder / PARTS))
    waiting: list[Entry] = []
    for file in files:
        entry, signature = entries.get(file), signature_at(file)
        if entry is None or entry.signature != signature:
            work.part(file).unlink(missing_ok=True)
            waiting.append(Entry(file, signature=signature))
        elif entry.state != DONE or part_name(file) not in parts:
            waiting.append(dataclasses.replace(entry, state=WAITING, segments=1, segments_done=0, whole_because=None))
    return sorted(waiting, key=lambda entry: entry.attempts)
