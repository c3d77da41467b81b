"""The list of corrections beside a data set: where it lies, and changes to it that do not lose those of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fer_core.audit.corrections import Corrections, load_corrections
from fer_core.background.locks import exclusive
from fer_core.data.store import data_root
from fer_core.emotions import LABELS
from fer_core.errors import DataError

# Beside the data sets, not in one: a lock must outlive what it guards.
_LOCKS = ".locks"


def corrections_path(name: str) -> Path:
    """Return where the corrections of the data set `name` lie."""
    return data_root() / name / "marks.csv"


def change_corrections(
    name: str,
    data: str,
    n: int,
    change: Callable[[Corrections], Corrections],
    class_names: tuple[str, ...] = LABELS,
) -> Corrections:
    """Read the list, change it and write it, while no other thread, process or server does.

    Args:
        name: of the data set.
        data: hash of its content.
        n: number of its rows.
        change: given the list as it is now, returns the new one.
        class_names: of the data set.

    Returns:
        The new list.

    Raises:
        DataError: the data set is gone, or the list cannot be read or written; it is then as before.
        JobError: another process does not let go of the list.
    """
    path = corrections_path(name)
    if not path.parent.is_dir():
        raise DataError(f"The data set {name} was deleted in between.")
    with exclusive(data_root() / _LOCKS / f"{name}.lock"):
        before = Corrections(data, n, class_names=class_names)
        corrections = change(load_corrections(path, data, n, class_names) if path.exists() else before)
        if not path.parent.is_dir():
            raise DataError(f"The data set {name} was deleted in between.")
        corrections.save(path)
    return corrections
