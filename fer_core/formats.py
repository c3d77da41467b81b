"""Numbers as text, the same on every page, in reports and in the terminal."""

from __future__ import annotations


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share from 0 to 1 as text.

    >>> percent(0.7126), percent(None)
    ('71.3 %', '–')
    """
    return "–" if share is None else f"{share * 100:.{digits}f} %"


def format_duration(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> format_duration(4.2), format_duration(130), format_duration(7500)
    ('4 s', '2 min 10 s', '2 h 5 min')
    """
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def approximate_duration(seconds: float) -> str:
    """Return a length of time that is only estimated, in one unit.

    >>> approximate_duration(0.2), approximate_duration(89), approximate_duration(130)
    ('1 s', '89 s', '2 min')
    """
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def count_text(number: int, noun: str) -> str:
    """Return a count with its unit.

    >>> count_text(1, "face"), count_text(1200, "row"), count_text(2, "copy"), count_text(2, "day")
    ('1 face', '1,200 rows', '2 copies', '2 days')
    """
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeou" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
