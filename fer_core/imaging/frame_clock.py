"""Which frames of a video are analysed where some are left out: the first in each span of equal length.

Which span a frame lies in depends on its own time alone, so that a part of a video has the frames of the whole there.
"""

from __future__ import annotations

import math

# A frame so little before its time is in time: clocks of files are rounded.
EARLY_S = 0.0005


def next_span_s(time_s: float, every_s: float) -> float:
    """Return when the span after a frame's begins, in seconds; 0 where all frames are analysed.

    >>> next_span_s(2.4, 0.5)
    2.5
    """
    return every_s * (math.floor((time_s + EARLY_S) / every_s) + 1) if every_s else 0.0


def span_start_s(time_s: float, every_s: float) -> float:
    """Return when the span of a frame began, in seconds; its own time where all frames are analysed.

    >>> span_start_s(2.4, 0.5)
    2.0
    """
    return every_s * math.floor((time_s + EARLY_S) / every_s) if every_s else time_s
