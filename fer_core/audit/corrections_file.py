"""The list of corrections beside a data set: where it lies, and changes to it that do not lose those of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fer_core.audit.corrections import Corrections, load_corrections
from fer_core.audit.sidecar import change_sidecar, sidecar_path
from fer_core.emotions import LABELS


def corrections_path(name: str) -> Path:
    """Return where the corrections of the data set `name` lie."""
    return sidecar_path(name, "marks.csv")


def read_corrections(name: str, data: str, n: int, class_names: tuple[str, ...] = LABELS) -> Corrections:
    """Read the corrections of a data set; there are none before the first.

    Args:
        name: of the data set.
        data: hash of its content.
        n: number of its rows.
        class_names: of the data set.

    Raises:
        DataError: the list is damaged or about another data set.
    """
    path = corrections_path(name)
    if path.exists():
        return load_corrections(path, data, n, class_names)
    return Corrections(data, n, class_names=class_names)


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
    return change_sidecar(
        name,
        lambda: read_corrections(name, data, n, class_names),
        change,
        lambda corrections: corrections.save(path),
    )
