"""The time of a clip that is played as if it were a camera: recordings of it carry the clip's own time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaTime:
    """Where a frame is in a clip.

    Attributes:
        position_s: seconds since the clip's first frame.
        earlier_s: what was played before in whole rounds, seconds; 0 in the first.
        round: number of the round, from 1.
    """

    position_s: float
    earlier_s: float = 0.0
    round: int = 1

    @property
    def played_s(self) -> float:
        """Seconds of all rounds together."""
        return self.earlier_s + self.position_s


class MediaClock:
    """Tells the time in a recording by that of the clip: its position, and the length of all rounds since then."""

    def __init__(self) -> None:
        self._first: MediaTime | None = None
        self._round = 0

    def time_s(self, media: MediaTime) -> float:
        """Return a frame's time in the recording; it begins in the clip's first round, whichever it was."""
        self._first = self._first or media
        return media.played_s - self._first.earlier_s

    def begins_round(self, media: MediaTime) -> bool:
        """Return whether this is the recording's first frame of a round."""
        begins, self._round = media.round != self._round, media.round
        return begins
