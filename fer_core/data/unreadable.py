"""Images that could not be read: how many, why, and the refusal of data that has any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fer_core.data.face_set import FaceSet
from fer_core.errors import DataError

_NAMED = 10


def count_reasons(unreadable: Sequence[str]) -> str:
    """Return the reasons why images could not be read, the most frequent first.

    Args:
        unreadable: as `Provenance.unreadable`.

    >>> count_reasons(["a.png: empty file", "b.png: cut short", "c.png: empty file"])
    'empty file (2), cut short (1)'
    """
    # Data sets that were stored by earlier versions have names without reasons.
    reasons = Counter(entry.rpartition(": ")[2] if ": " in entry else "damaged" for entry in unreadable)
    return ", ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common())


def describe_unreadable(faces: FaceSet) -> str:
    """Return how many images of a data set's source could not be read, why, and the first of them; empty if none."""
    unreadable = faces.source.unreadable
    if not unreadable:
        return ""
    total = len(faces) + len(unreadable)
    were = "was" if len(unreadable) == 1 else "were"
    more = [f"  and {len(unreadable) - _NAMED:,} more"] if len(unreadable) > _NAMED else []
    heading = (
        f"{len(unreadable):,} of {total:,} images could not be read and {were} left out: {count_reasons(unreadable)}."
    )
    return "\n".join([heading, *(f"  {entry}" for entry in unreadable[:_NAMED]), *more])


def require_all_readable(faces: FaceSet) -> None:
    """Refuse a data set some of whose images could not be read.

    Raises:
        DataError: there are such images; the message is that of `describe_unreadable`.
    """
    if description := describe_unreadable(faces):
        raise DataError(f"{description}\nRepair or remove these files, or go on without --strict.")
