"""The file of tags and subsets beside a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fer_core.audit.selections import Selections, from_json
from fer_core.audit.sidecar import change_sidecar, sidecar_path
from fer_core.errors import DataError
from fer_core.files import write_text


def selections_path(name: str) -> Path:
    """Return where the tags and subsets of the data set `name` lie."""
    return sidecar_path(name, "selections.json")


def read_selections(name: str, data: str, n: int) -> Selections:
    """Read the tags and subsets of a data set; there are none before the first change.

    Args:
        name: of the data set.
        data: hash of its content.
        n: number of its rows.

    Raises:
        DataError: the file is damaged or about another data set.
    """
    path = selections_path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Selections(data, n)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The tags and subsets in {path} cannot be read: {error}.") from error
    return from_json(text, data, n, str(path))


def change_selections(name: str, data: str, n: int, change: Callable[[Selections], Selections]) -> Selections:
    """Change the tags and subsets of a data set, while no other thread, process or server does.

    Args:
        name: of the data set.
        data: hash of its content.
        n: number of its rows.
        change: given the selections as they are now, returns the new ones.

    Raises:
        DataError: the data set is gone, the change is refused, or the file cannot be read or written.
        JobError: another process does not let go of the file.
    """

    def write(selections: Selections) -> None:
        path = selections_path(name)
        try:
            write_text(path, selections.to_json())
        except OSError as error:
            raise DataError(f"The tags and subsets cannot be written to {path}: {error.strerror or error}.") from error

    return change_sidecar(name, lambda: read_selections(name, data, n), change, write)
