"""Files that a person's work makes beside a data set, changed in turn, so that nobody's change is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fer_core.background.locks import exclusive
from fer_core.data.store import data_root
from fer_core.errors import DataError

T = TypeVar("T")
# Beside the data sets, not in one: a lock must outlive what it guards.
_LOCKS = ".locks"


def sidecar_path(name: str, file: str) -> Path:
    """Return the path of the file called `file` beside the data set `name`."""
    return data_root() / name / file


def change_sidecar(name: str, read: Callable[[], T], change: Callable[[T], T], write: Callable[[T], None]) -> T:
    """Read a file beside a data set, change it and write it, while no other thread, process or server does.

    Args:
        name: of the data set.
        read: returns what is there now.
        change: given that, returns the new content.
        write: writes it.

    Returns:
        The new content.

    Raises:
        DataError: the data set is gone, or what `read`, `change` or `write` raise; the file is then as before.
        JobError: another process does not let go of the files.
    """
    folder = data_root() / name
    if not folder.is_dir():
        raise DataError(f"The data set {name} was deleted in between.")
    with exclusive(data_root() / _LOCKS / f"{name}.lock"):
        content = change(read())
        if not folder.is_dir():
            raise DataError(f"The data set {name} was deleted in between.")
        write(content)
    return content
