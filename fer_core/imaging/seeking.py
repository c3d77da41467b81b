"""Where a video can be entered in its midst so that its frames, their numbers and their times are those of the whole.

One pass over a file's packets, which decodes nothing but the first frame, finds the times of all frames. Files whose
packets do not tell them, or tell them in an order that makes no sense, have no such places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import av
import av.container
import av.error
import numpy as np


@dataclass(frozen=True, slots=True)
class SeekPoint:
    """A keyframe from which decoding goes on as if it had come from the start.

    Attributes:
        pts: its time by the file's own clock.
        index: its number in the video; 0 for the first frame.
        first_s: time of the video's first frame by the file's own clock, seconds.
    """

    pts: int
    index: int
    first_s: float


@dataclass(frozen=True, slots=True, eq=False)
class FrameTimes:
    """When the frames of a video are shown, as its packets tell.

    Attributes:
        first_s: time of the first by the file's own clock, seconds.
        times_s: float64 (n,), seconds since the first, rising.
        pts: int64 (n,), the same by the file's own clock.
        keyframes: int64 (k,), numbers of the frames that decoding can begin with, rising.
    """

    first_s: float
    times_s: np.ndarray
    pts: np.ndarray
    keyframes: np.ndarray

    def seek_point(self, time_s: float) -> SeekPoint:
        """Return the last keyframe at or before a time; the first frame if there is none."""
        before = int(np.searchsorted(self.times_s[self.keyframes], time_s, side="right"))
        index = int(self.keyframes[before - 1]) if before else 0
        return SeekPoint(int(self.pts[index]), index, self.first_s)


def read_frame_times(path: Path, until_s: float = math.inf) -> FrameTimes | None:
    """Return when the frames of a video are shown; None where its packets do not tell exactly.

    Args:
        path: a video that can be opened.
        until_s: what follows a frame that is shown later than this, seconds since the first, is not read.
    """
    try:
        with av.open(str(path)) as container:
            first = next(container.decode(container.streams.video[0]), None)
        if first is None or first.pts is None or first.time is None:
            return None
        with av.open(str(path)) as container:
            return _read(container, first.pts, first.time, until_s)
    except (av.error.FFmpegError, OSError, IndexError):  # whoever decodes it will say what is wrong
        return None


def _read(container: av.container.InputContainer, first_pts: int, first_s: float, until_s: float) -> FrameTimes | None:
    stream = container.streams.video[0]
    times: list[int] = []
    keys: list[int] = []
    for packet in container.demux(stream):
        if not packet.size or packet.is_discard:
            continue
        if packet.pts is None or packet.is_corrupt:
            return None
        if packet.pts >= first_pts:
            times.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
        if float(packet.pts * packet.time_base) - first_s > until_s:
            break
    pts = np.unique(np.array(times, np.int64))
    in_order = len(pts) == len(times) and sorted(keys) == keys
    if stream.time_base is None or not len(pts) or not in_order or pts[0] != first_pts:
        return None
    times_s = (pts - pts[0]) * float(stream.time_base)
    return FrameTimes(first_s, times_s, pts, np.searchsorted(pts, np.array(keys, np.int64)))
