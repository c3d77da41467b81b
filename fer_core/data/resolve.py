"""A data set by whatever a user calls it: the name of a store, or the path of a table, folder or archive."""

from __future__ import annotations

from pathlib import Path

from fer_core.data.demo import demo_set
from fer_core.data.face_set import FaceSet
from fer_core.data.sources import Progress, read_source
from fer_core.data.store import list_stores, open_store, write_store
from fer_core.emotions import LABELS
from fer_core.errors import DataError

DEMO = "demo"


def class_names_of(data: str) -> tuple[str, ...] | None:
    """Return the class names of a data set without opening it; None for a path, whose source has to be read first.

    Args:
        data: as for `open_faces`.
    """
    stores = {store.name: store.class_names for store in list_stores() if not store.problem}
    return stores.get(data) or (None if data != DEMO and is_path(data) else LABELS)


def is_path(data: str) -> bool:
    """Return whether what a user calls a data set is a file or folder that is there."""
    try:
        return Path(data).exists()
    except OSError:
        return False


def open_faces(data: str, progress: Progress | None = None) -> FaceSet:
    """Open a data set by the name of its store or by the path of its source.

    The data set `demo` is drawn and stored when it is first asked for.

    Args:
        data: name of a store, "demo", or path of anything `read_source` reads.
        progress: called with the bytes of a source read so far and in all; a store needs none.

    Raises:
        DataError: there is no such data set or it cannot be read.
    """
    stores = [store.name for store in list_stores()]
    known = ", ".join(dict.fromkeys([*stores, DEMO]))
    if data in stores:
        return open_store(data)
    try:
        is_path = Path(data).exists()
    except OSError as error:
        raise DataError(
            f"{data} cannot be looked at: {error.strerror or error}. Expected one of: {known}; or the path "
            "of fer2013.csv in any form."
        ) from error
    if is_path:
        return read_source(Path(data), progress)
    if data == DEMO:
        return write_store(demo_set(), DEMO)
    raise DataError(
        f"There is no data set named {data!r}. Expected one of: {known}; or the path of fer2013.csv in any form."
    )
