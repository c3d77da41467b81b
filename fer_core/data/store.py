"""One store for every data set: validated once, kept as memory-mapped arrays, reopened at once.

A store is a folder. Its arrays lie in a sub-folder of their own, and `meta.json`, which names that
sub-folder, is replaced last and at once: a process killed at any moment leaves the old store or
none. Readers of the old arrays keep them.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.data.face_set import FaceSet, Provenance
from fer_core.data.mapped_array import map_array
from fer_core.data.votes import OLD_VOTES_NOTE, without_unnamed_rows
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.files import NAME_PATTERN, write_json
from fer_core.legacy import with_current_keys
from fer_core.settings import home_folder

log = logging.getLogger(__name__)

_FORMAT = 1
# Data sets stored before version 2 have ten votes for NF also in the rows of the FER+ table that nobody voted on.
_VOTE_VERSION = 2
_META = "meta.json"
_SUFFIXES = re.compile(r"(\.(csv|zip|tar|gz|tgz|xz|bz2|tbz2))+$", re.IGNORECASE)
# Of a name, so that a number still fits behind it.
_MAX_STEM = 60
# Arrays that no meta.json names were left by a killed process, unless one is writing them just now.
_ABANDONED_AFTER_S = 3600.0


@dataclass(frozen=True)
class StoreInfo:
    """What a store says about itself without its arrays being opened.

    Attributes:
        name: of the store.
        rows: number of faces.
        hash: SHA-256 of the faces, as `FaceSet.hash`.
        counts: number of images by split and class.
        votes: whether it holds FER+ votes.
        source: where the faces came from.
        created: when it was written, ISO 8601 in UTC.
        problem: why the store cannot be opened, in words; empty if it can.
        class_names: of its labels.
    """

    name: str
    rows: int = 0
    hash: str = ""
    counts: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    votes: bool = False
    source: Provenance = dataclasses.field(default_factory=Provenance)
    created: str = ""
    problem: str = ""
    class_names: tuple[str, ...] = LABELS


def data_root() -> Path:
    """Return the folder of all stores."""
    return home_folder() / "datasets"


def write_store(faces: FaceSet, name: str, root: Path | None = None) -> FaceSet:
    """Keep `faces` as the store `name`, replacing the one of that name, and open it.

    Raises:
        DataError: the name cannot be used, the disk is full or the folder cannot be written. An
            older store of that name is then untouched.
    """
    folder = _folder(name, root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        arrays = Path(tempfile.mkdtemp(prefix="arrays-", dir=folder))
        try:
            files = _write_arrays(faces, arrays)
            replaced = _named_arrays(folder)
            write_json(folder / _META, _meta(faces, arrays.name, files))
        except BaseException:
            shutil.rmtree(arrays, ignore_errors=True)
            raise
        if replaced:
            shutil.rmtree(replaced, ignore_errors=True)
    except OSError as error:
        if not (folder / _META).exists():
            shutil.rmtree(folder, ignore_errors=True)
        reason = "the disk is full; free some space" if error.errno == errno.ENOSPC else f"{error.strerror or error}"
        raise DataError(
            f"The data set {name!r} cannot be written to {folder}: {reason}. What was stored before is kept."
        ) from error
    return open_store(name, root)


def open_store(name: str, root: Path | None = None) -> FaceSet:
    """Open the store `name`; its images stay on disk until they are looked at.

    A file that is cut short while the store is open raises a DataError at the next look at an image. Content is
    hashed again only if a file's time or size is not the one that was written.

    Raises:
        DataError: there is no such store, or it is half there, altered or of a newer version.
    """
    folder = _folder(name, root)
    meta = _read_meta(folder, name)
    with _naming(folder, name):
        arrays = folder / meta["arrays"]
        _check_sizes(arrays, meta)
        loaded = {key: np.load(arrays / f"{key}.npy") for key in meta["files"] if key != "images"}
        faces = FaceSet(
            images=map_array(arrays / "images.npy"),
            labels=loaded["labels"].astype(np.int64),
            split=loaded["split"],
            votes=_votes(loaded.get("votes"), meta),
            source=_provenance(meta),
            class_names=_class_names(meta),
        )
        untouched = all(_stamp(arrays / f"{key}.npy") == stamp for key, stamp in meta["files"].items())
    if len(faces) != meta["rows"] or (not untouched and faces.hash != meta["hash"]):
        raise DataError(
            f"The data set {name!r} in {folder} was altered since it was written: its content is not "
            "what its hash names. Delete it and read the source again."
        )
    vars(faces)["hash"] = meta["hash"]  # fills FaceSet's cached property, so that nothing is hashed again
    return faces


def list_stores(root: Path | None = None) -> list[StoreInfo]:
    """Return what each store in `root` says about itself, by name; broken ones say their problem."""
    root = root or data_root()
    if not root.is_dir():
        return []
    names = sorted(path.parent.name for path in root.glob(f"*/{_META}") if NAME_PATTERN.fullmatch(path.parent.name))
    return [_info(name, root) for name in names]


def store_name(wanted: str, taken: Collection[str]) -> str:
    """Turn a file's name or a user's words into a name that a store can have and that is not taken yet.

    >>> store_name("fer2013.csv.xz", {"fer2013"})
    'fer2013 2'
    """
    name = _SUFFIXES.sub("", wanted)
    name = re.sub(r"[^A-Za-z0-9 ._-]+", "-", name).strip(" ._-")[:_MAX_STEM] or "faces"
    numbered = (name if number == 1 else f"{name} {number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in numbered if candidate not in taken)


def free_store_name(wanted: str, root: Path | None = None) -> str:
    """Return `wanted` as a name that no store in `root` has yet."""
    return store_name(wanted, {info.name for info in list_stores(root)})


def validation_name(name: str) -> str:
    """Return the name of the store `name` with a validation split: always the same, and never its own.

    >>> validation_name("fer2013")
    'fer2013 with validation'
    """
    return store_name(f"{name[: _MAX_STEM - 16]} with validation", {name})


def delete_store(name: str, root: Path | None = None) -> None:
    """Delete the store `name`.

    Raises:
        DataError: there is no such store, or it cannot be deleted.
    """
    folder = _folder(name, root)
    if not folder.is_dir():
        raise DataError(f"There is no data set named {name!r} in {folder.parent}.")
    try:
        (folder / _META).unlink(missing_ok=True)  # first, so that a kill half-way leaves no store
        shutil.rmtree(folder)
    except OSError as error:
        raise DataError(f"The data set {name!r} in {folder} cannot be deleted: {error.strerror}.") from error


def _folder(name: str, root: Path | None) -> Path:
    if not NAME_PATTERN.fullmatch(name):
        raise DataError(
            f"{name!r} cannot name a data set. Use 1 to 64 letters, digits, spaces, dots, dashes or "
            "underscores, beginning with a letter or digit."
        )
    return (root or data_root()) / name


def _write_arrays(faces: FaceSet, folder: Path) -> dict[str, list[int]]:
    """Write the arrays and return each file's size and time."""
    arrays = {"images": faces.images, "labels": faces.labels.astype(np.uint8), "split": faces.split}
    if faces.votes is not None:
        arrays["votes"] = faces.votes
    for key, array in arrays.items():
        with (folder / f"{key}.npy").open("wb") as file:
            array = np.ascontiguousarray(array)
            # np.save loses the reason (errno) when the disk is full; a plain write keeps it.
            np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
            file.write(array.data)
            file.flush()
            os.fsync(file.fileno())
    return {key: _stamp(folder / f"{key}.npy") for key in arrays}


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _meta(faces: FaceSet, arrays: str, files: Mapping[str, list[int]]) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "rows": len(faces),
        "hash": faces.hash,
        "counts": faces.counts(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": dataclasses.asdict(faces.source),
        "arrays": arrays,
        "files": files,
        "vote_version": _VOTE_VERSION,
        "class_names": list(faces.class_names),
    }


def _read_meta(folder: Path, name: str) -> dict[str, Any]:
    if not (folder / _META).is_file():
        raise DataError(f"There is no data set named {name!r} in {folder.parent}. Read one in first.")
    with _naming(folder, name):
        meta = with_current_keys(json.loads((folder / _META).read_text(encoding="utf-8")))
        if meta["format"] != _FORMAT:
            raise DataError(
                f"The data set {name!r} was written by another version of this program (format "
                f"{meta['format']}, expected {_FORMAT}). Delete it and read the source again."
            )
        if not {"rows", "hash", "counts", "created", "source", "arrays", "files"} <= meta.keys():
            raise KeyError("fields are missing")
    return meta


@contextmanager
def _naming(folder: Path, name: str) -> Iterator[None]:
    """Turn whatever a damaged store raises into one error in words."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise DataError(
            f"The data set {name!r} in {folder} is damaged ({type(error).__name__}: {error}). "
            "Delete it and read the source again."
        ) from error


def _info(name: str, root: Path) -> StoreInfo:
    folder = root / name
    try:
        meta = _read_meta(folder, name)
        with _naming(folder, name):
            _check_sizes(folder / meta["arrays"], meta)
            return StoreInfo(
                name=name,
                rows=meta["rows"],
                hash=meta["hash"],
                counts=meta["counts"],
                votes="votes" in meta["files"],
                source=_provenance(meta),
                created=meta["created"],
                class_names=_class_names(meta),
            )
    except DataError as error:
        return StoreInfo(name=name, problem=str(error))


def _check_sizes(arrays: Path, meta: Mapping[str, Any]) -> None:
    for key, (size, _) in meta["files"].items():
        if (actual := (arrays / f"{key}.npy").stat().st_size) != size:
            raise ValueError(f"{key}.npy has {actual:,} bytes, expected {size:,}")


def _provenance(meta: Mapping[str, Any]) -> Provenance:
    content = meta["source"]
    return Provenance(
        name=content["name"],
        kind=content["kind"],
        synthetic=content["synthetic"],
        notes=(*content["notes"], *([OLD_VOTES_NOTE] if _has_old_votes(meta) else [])),
        unreadable=tuple(content["unreadable"]),
    )


def _class_names(meta: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(meta.get("class_names", LABELS))  # earlier versions knew the seven only


def _has_old_votes(meta: Mapping[str, Any]) -> bool:
    return "votes" in meta["files"] and meta.get("vote_version", 1) < _VOTE_VERSION


def _votes(votes: np.ndarray | None, meta: Mapping[str, Any]) -> np.ndarray | None:
    return without_unnamed_rows(votes) if votes is not None and _has_old_votes(meta) else votes


def _named_arrays(folder: Path) -> Path | None:
    """Return the sub-folder that the present meta.json names, if it can be read."""
    try:
        name = json.loads((folder / _META).read_text(encoding="utf-8"))["arrays"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder / name if str(name).startswith("arrays-") else None


def _remove_abandoned(folder: Path) -> None:
    named = _named_arrays(folder)
    for path in [*folder.glob("arrays-*"), *folder.glob(".partial-*")]:
        if path != named and time.time() - path.stat().st_mtime > _ABANDONED_AFTER_S:
            log.info("removing %s, left by a process that was killed", path)
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
