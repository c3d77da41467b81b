"""What can be the name of a class; importable without NumPy."""

from __future__ import annotations

import re

# Labels are stored as bytes; folders named after people or films are no classes.
MAX_CLASSES = 50
# Names come from folders and stand in pages, files and addresses.
CLASS_NAME_PATTERN = re.compile(r"[\w .+()-]{1,40}")
# Columns of the tables of faces that stand beside the scores, and what marks a face.
_RESERVED = frozenset(
    ("file", "frame", "time_s", "utc", "face", "left", "top", "right", "bottom", "expression", "uncertain", "exclude")
)


def name_problem(names: tuple[str, ...]) -> str:
    """Return why a data set cannot have classes of these names; empty if it can."""
    if not 2 <= len(names) <= MAX_CLASSES:
        return f"expected 2 to {MAX_CLASSES} classes, got {len(names)}"
    if len(set(names)) < len(names):
        return f"expected classes of different names, got {', '.join(names)}"
    wrong = next((name for name in names if not CLASS_NAME_PATTERN.fullmatch(name) or name in _RESERVED), None)
    return "" if wrong is None else f"expected names of up to 40 letters, digits, spaces and . + ( ) _ -, got {wrong!r}"


def class_name(folder: str) -> str:
    """Return the name of a class for a folder's name: signs that a class cannot have become underscores.

    >>> class_name("very <calm>"), class_name("left")
    ('very _calm_', 'left_')
    """
    name = re.sub(r"[^\w .+()-]", "_", folder.strip())[:39] or "_"
    return f"{name}_" if name in _RESERVED else name
