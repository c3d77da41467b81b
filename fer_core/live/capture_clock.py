"""When a camera took a frame, told from when the frame came and from the timestamp that it carries.

What comes over a network comes late: by a part that stays the same and by one that varies with the network, the
decoder and what is still being analysed. The sender's timestamps are steady. So the smallest distance between coming
and timestamp that was seen lately is the part that stays the same, and what goes beyond it is delay. The constant part
itself (the camera's exposure, the browser's encoder, the shortest way) cannot be known from here and stays in.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 30.0  # the clocks of sender and server drift apart by less than a millisecond or two in it
# A frame that seems later than this is none: the sender's clock was set, or another stream has begun.
LATEST_S = 5.0


class CaptureClock:
    """Estimates when the frames of one stream were captured, in the stream's thread; any may reset it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was seen: another stream begins."""
        self._offsets: deque[tuple[float, float]] = deque()  # (came, came - timestamp), offsets rising
        self._last_s = float("-inf")

    def captured_s(self, came_s: float, media_s: float | None) -> float:
        """Return when a frame was captured, on the clock of `came_s`.

        Args:
            came_s: when it came, seconds on the server's clock; not smaller than in the call before.
            media_s: its timestamp, seconds on the sender's clock; None if it has none.
        """
        if media_s is None:
            return came_s
        offset_s, offsets = came_s - media_s, self._offsets  # which another thread may replace meanwhile
        if media_s < self._last_s or (offsets and offset_s - offsets[0][1] > LATEST_S):
            self.reset()
            offsets = self._offsets
        self._last_s = media_s
        while offsets and offsets[-1][1] >= offset_s:
            offsets.pop()
        offsets.append((came_s, offset_s))
        while offsets[0][0] < came_s - WINDOW_S:
            offsets.popleft()
        return media_s + offsets[0][1]
