"""Bring a data set in, or make another from one that is here; each function returns the name of the store it wrote."""

from __future__ import annotations

from pathlib import Path

from fer_core.data.demo import demo_set
from fer_core.data.download import download_kaggle
from fer_core.data.face_set import FaceSet
from fer_core.data.resolve import DEMO
from fer_core.data.sources import Progress, import_source
from fer_core.data.store import (
    data_root,
    delete_store,
    free_store_name,
    list_stores,
    open_store,
    store_name,
    validation_name,
    write_store,
)
from fer_core.data.votes import join_votes, read_votes
from fer_core.errors import DataError
from fer_core.files import remove_abandoned


def import_faces(
    source: Path,
    name: str = "",
    progress: Progress | None = None,
    classes: str = "auto",
    *,
    votes: Path | None = None,
) -> str:
    """Read `source` into a store of its own.

    Args:
        source: as for `read_source`.
        name: what to call it; taken from the source's name if empty. A store is never replaced.
        progress: called with the bytes of the source read so far and in all.
        votes: table of FER+ votes to join; those beside the source are joined in any case.
        classes: as for `read_source`.

    Raises:
        DataError: the source or the votes are wrong, or the store cannot be written. Nothing is then kept.
    """
    remove_abandoned(data_root(), ".upload-*")  # of earlier versions, which copied uploads there
    store = free_store_name(name or source.name)
    table = None if votes is None else read_votes(votes)  # first: it takes no time, and may be the wrong file
    import_source(source, store, progress=progress, classes=classes)
    if table is not None:
        try:
            write_store(join_votes(open_store(store), table), store)
        except DataError:
            delete_store(store)
            raise
    return store


def import_from_kaggle(dataset: str, name: str = "", progress: Progress | None = None, classes: str = "auto") -> str:
    """Download a data set from Kaggle and read it into a store of its own.

    Args:
        dataset: "owner/name".
        name: what to call it; the data set's own name if empty.
        progress: called with the bytes read so far and in all, once it is downloaded.
        classes: as for `read_source`.

    Raises:
        DataError: it cannot be downloaded, read or written.
    """
    return import_faces(download_kaggle(dataset), name or dataset.rpartition("/")[2], progress, classes)


def import_demo(count: int) -> str:
    """Draw `count` faces into a store of their own."""
    store = free_store_name(DEMO)
    write_store(demo_set(count), store)
    return store


def add_votes(name: str, table: Path) -> str:
    """Join the FER+ votes in `table` to the store `name`.

    Raises:
        DataError: the table is no table of votes, or belongs to other rows; the store is then as before.
    """
    write_store(join_votes(open_store(name), read_votes(table)), name)
    return name


def write_split_store(name: str, faces: FaceSet) -> str:
    """Keep `faces`, the store `name` with splits held out, as a store of its own.

    A store that was split from the same data is written anew; one that was split from other data, and may have
    corrections, is kept.
    """
    stores, target = {store.name: store for store in list_stores()}, validation_name(name)
    if target in stores and stores[target].hash != faces.hash:
        target = store_name(target, set(stores))
    write_store(faces, target)
    return target


def resolve_path(text: str) -> Path:
    """Return the path that a user typed or pasted, perhaps in quotes or with ~ for a home folder.

    Raises:
        DataError: nothing is there, or it cannot be looked at.
    """
    path = Path(text.strip().strip("'\""))
    try:
        path = path.expanduser()
        exists = path.exists()
    except RuntimeError as error:  # pathlib's way to say that it knows no such user
        raise DataError(
            f"{path} begins with the home folder of a user whom this machine does not know. Write the "
            "whole path, for example /home/me/fer2013.csv."
        ) from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}. Check the path, and that this "
            "machine's user may read the folders on the way to it."
        ) from error
    if not exists:
        raise DataError(f"{path} is not there. Check the path: it is looked for on the machine that runs this page.")
    return path
