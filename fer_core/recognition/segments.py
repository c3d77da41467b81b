"""Long videos in segments, so that several processes can share one, with the rows that a single process writes.

Each segment is analysed as if the video began a little before it. Searching, tracking and scoring know nothing of the
segment before: what a segment gives depends on its own frames alone. `SegmentJoin` then goes through all segments in
their order and carries over what is seen at their boundaries: which face is which, smoothed scores, labels. A process
that analyses a whole video does just the same, one segment after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fer_core.imaging.frame_clock import EARLY_S, span_start_s
from fer_core.recognition.pipeline import FORGET_S, StreamAnalyzer
from fer_core.recognition.segment_join import KnownFaces, SegmentJoin
from fer_core.recognition.stream_settings import StreamSettings
from fer_core.types import FrameResult

if TYPE_CHECKING:
    from fer_core.imaging.video import VideoFrame

SEGMENT_S = 60.0
# What was in sight at a boundary is known again by the frames before it, which both segments see. A face that the
# detector misses is held for half a second, so both know of it.
_WARM_UP_S, _WARM_UP_FRAMES = 1.0, 2
# A face that is seen in one frame alone is believed if frames are farther apart than this, seconds.
_WITNESS_S = 0.25


@dataclass(frozen=True, slots=True)
class Segments:
    """How the analysis of a video is divided.

    Attributes:
        start_s: time of the first frame that is analysed, seconds since the video's first.
        every_s: seconds from one analysed frame to the next; 0 for all.
        segment_s: length of a segment, seconds.
    """

    start_s: float = 0.0
    every_s: float = 0.0
    segment_s: float = SEGMENT_S

    def number_at(self, time_s: float) -> int:
        """Return in which segment, from 0, a frame lies."""
        return max(0, math.floor((time_s + EARLY_S - self.start_s) / self.segment_s))

    def begin_s(self, number: int) -> float:
        """Return the time at which a segment begins."""
        return self.start_s + number * self.segment_s

    def warm_up_from_s(self, number: int) -> float:
        """Return the time from which on frames are analysed for a segment, those before its beginning not for rows."""
        # Frames farther apart than a stream remembers have nothing in common.
        frames_s = _WARM_UP_FRAMES * self.every_s
        warm_up_s = max(_WARM_UP_S, frames_s) if self.every_s <= FORGET_S else 0.0
        return max(self.start_s, self.begin_s(number) - min(warm_up_s, self.segment_s))

    def decode_from_s(self, number: int, before_s: float) -> float:
        """Return the time from which on frames are needed to have those of a segment, its warm-up, and one before it.

        Args:
            number: of the segment.
            before_s: time of the last frame before its beginning.
        """
        first_s = min(self.warm_up_from_s(number), before_s)
        return max(self.start_s, span_start_s(first_s, self.every_s))

    def is_warm_up(self, number: int, time_s: float) -> bool:
        """Return whether a frame before the beginning of a segment is analysed for it too."""
        return number > 0 and time_s >= self.warm_up_from_s(number) - EARLY_S


class SegmentObserver:
    """Analyses the frames of one segment up to each frame's own scores.

    Attributes:
        number: of the segment, from 0.
    """

    def __init__(self, analyzer: StreamAnalyzer, segments: Segments, number: int) -> None:
        """Args:
        analyzer: a new one.
        segments: how the video is divided.
        number: of the segment.
        """
        self.number = number
        self._analyzer = analyzer
        # Where frames are far apart the next one is no witness to a new face, and the first has none before it.
        self._far_apart = segments.every_s > _WITNESS_S
        self._index = -1

    @property
    def known(self) -> KnownFaces:
        """The faces after the latest frame."""
        return KnownFaces.of(self._analyzer, self._index)

    def observe(self, frame: VideoFrame) -> FrameResult:
        """Analyse the next frame, of the segment or of those that warm it up."""
        confirm_immediately = self._far_apart or self._index < 0
        result = self._analyzer.observe(frame.image_bgr, frame.time_s, confirm_immediately)
        self._index = frame.index
        # Frames are counted as the video has them, those left out too.
        return replace(result, index=frame.index)


def follow_segments(
    frames: Iterable[VideoFrame],
    segments: Segments,
    new_analyzer: Callable[[], StreamAnalyzer],
    settings: StreamSettings,
) -> Generator[tuple[VideoFrame, FrameResult], None, None]:
    """Analyse the frames of a video one after the other; any length takes the memory of two segments' beginnings.

    Args:
        frames: in the order in which they are shown.
        segments: how the video is divided.
        new_analyzer: returns a new analyzer with these settings.
        settings: how faces are followed and scores smoothed.

    Yields:
        Each frame with its faces.
    """

    def begin(number: int) -> SegmentObserver:
        return SegmentObserver(new_analyzer(), segments, number)

    join = SegmentJoin(settings)
    current: SegmentObserver | None = None
    following: SegmentObserver | None = None
    for frame in frames:
        number = segments.number_at(frame.time_s)
        if current is None or number > current.number:
            before, current = current, following if following and following.number == number else begin(number)
            join.begin(current.known, before.known if before else None)
            following = None
        result = current.observe(frame)
        if segments.is_warm_up(current.number + 1, frame.time_s):
            following = following or begin(current.number + 1)
            following.observe(frame)
        yield frame, join.add(result)
