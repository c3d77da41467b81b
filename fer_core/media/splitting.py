"""One long video analysed by several processes: its segments, each by whoever is free, and their join.

A segment is decoded from a keyframe before it. That its frames are those of the whole is not taken on trust: the last
frame before a boundary is decoded for both segments there, and must have the same number, time and pixels in both.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_core.errors import MediaError
from fer_core.imaging.frame_clock import EARLY_S
from fer_core.imaging.overlap import read_ahead
from fer_core.imaging.seeking import FrameTimes, SeekPoint, read_frame_times
from fer_core.imaging.video import SeekError, VideoFrame, open_video
from fer_core.media.analysis import Choices
from fer_core.recognition.segment_join import KnownFaces, SegmentJoin
from fer_core.recognition.segments import SegmentObserver, Segments
from fer_core.recognition.stream_settings import StreamSettings
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import FrameResult

# Some formats go on a little late after a seek.
_MARGIN_S = 1.0
_DECODED_AHEAD = 4
# Where a keyframe is farther before a segment, nothing is gained by sharing the work.
_MAX_DECODED_FOR_NOTHING_S = 60.0


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a video, and where its frames are.

    Attributes:
        number: from 0; numbers of segments without any frame are left out.
        decode_from_s: time of the first frame that is needed, seconds since the video's first.
        end_s: time at which decoding stops, seconds since the video's first.
        seek: where decoding begins; as for a whole analysis if None.
        is_last: whether it goes on to the end of the analysis.
    """

    number: int
    decode_from_s: float
    end_s: float
    seek: SeekPoint | None
    is_last: bool


@dataclass(frozen=True, slots=True)
class Split:
    """A long video as segments.

    Attributes:
        segments: how it is divided.
        parts: the segments in their order, at least two.
        smoothing_s: time constant of the scores' exponential filter, seconds.
    """

    segments: Segments
    parts: tuple[Segment, ...]
    smoothing_s: float

    @property
    def settings(self) -> StreamSettings:
        """How faces are followed and scores smoothed."""
        return StreamSettings(smoothing_s=self.smoothing_s)


@dataclass(frozen=True, slots=True)
class FrameCheck:
    """By what the same frame, decoded by two processes, is told: its number, its time, a checksum of its pixels."""

    index: int
    time_s: float
    checksum: int

    @classmethod
    def of(cls, frame: VideoFrame) -> FrameCheck:
        """Return that of a frame."""
        return cls(frame.index, frame.time_s, zlib.crc32(np.ascontiguousarray(frame.image_bgr)))


@dataclass(frozen=True, slots=True, eq=False)
class SegmentResult:
    """What was found in one segment, with each frame's own scores.

    Attributes:
        frames: its analysed frames; faces have their numbers within the segment.
        head: the faces that were known before its first frame.
        tail: those after its last.
        before: the last frame before it; None if there is none.
        last: its last frame; None if it has none.
        error: where the video is damaged, in words; None if it is not.
    """

    frames: tuple[FrameResult, ...]
    head: KnownFaces
    tail: KnownFaces
    before: FrameCheck | None
    last: FrameCheck | None
    error: str | None = None


def find_split(path: Path, choices: Choices) -> Split | None:
    """Return a video's segments; None if it is not longer than one, or cannot be read.

    Args:
        path: of the video.
        choices: how it is analysed.

    Raises:
        SeekError: it is longer, but cannot be entered in its midst.
    """
    segments = Segments(choices.start_s, choices.every_s, choices.segment_s)
    try:
        with open_video(path) as video:
            duration_s = video.duration_s
    except MediaError:  # its analysis says why
        return None
    if duration_s is not None and min(duration_s, choices.end_s) - choices.start_s <= choices.segment_s:
        return None
    times = read_frame_times(path)
    if times is None:
        raise SeekError(f"{path.name} does not tell when each of its frames is shown.")
    parts = _parts(times, segments, choices.end_s)
    if any(_decoded_for_nothing_s(times, part) > _MAX_DECODED_FOR_NOTHING_S for part in parts[1:]):
        raise SeekError(f"{path.name} has keyframes more than {_MAX_DECODED_FOR_NOTHING_S:g} s apart.")
    return Split(segments, parts, choices.smoothing_s) if len(parts) > 1 else None


def _parts(times: FrameTimes, segments: Segments, end_s: float) -> tuple[Segment, ...]:
    times_s = times.times_s
    analyzed = times_s[(times_s >= segments.start_s - EARLY_S) & (times_s < end_s - EARLY_S)]
    numbers = sorted({segments.number_at(time_s) for time_s in analyzed.tolist()})
    parts: list[Segment] = []
    for number in numbers:
        begin_s, is_last = segments.begin_s(number), number == numbers[-1]
        first = int(np.searchsorted(times_s, begin_s - EARLY_S))
        from_s, seek = segments.start_s, None
        if parts:
            from_s = segments.decode_from_s(number, float(times_s[first - 1]))
            seek = times.seek_point(from_s - _MARGIN_S)
        stop_s = end_s if is_last else min(end_s, segments.begin_s(number + 1))
        parts.append(Segment(number, from_s, stop_s, seek, is_last))
    return tuple(parts)


def _decoded_for_nothing_s(times: FrameTimes, part: Segment) -> float:
    return part.decode_from_s - float(times.times_s[part.seek.index]) if part.seek else 0.0


def analyze_segment(
    recognizer: EmotionRecognizer,
    path: Path,
    split: Split,
    part: Segment,
    report: Callable[[float], None] = lambda _: None,
) -> SegmentResult:
    """Find and score the faces of one segment, from nothing but its own frames and those that warm it up.

    Args:
        recognizer: the model, for the label set of the analysis.
        path: of the video.
        split: its segments.
        part: one of them.
        report: called after each frame with the share of the segment that is done, 0 to 1.

    Raises:
        SeekError: its frames cannot be those of the whole.
    """
    segments, number = split.segments, part.number
    observer = SegmentObserver(recognizer.stream(split.settings, thorough=True), segments, number)
    head, before, last, error = observer.known, None, None, None
    results: list[FrameResult] = []
    try:
        with (
            open_video(path) as video,
            closing(
                read_ahead(
                    _in_order(video.frames(segments.every_s, part.decode_from_s, part.end_s, part.seek), path.name),
                    _DECODED_AHEAD,
                )
            ) as frames,
        ):
            for frame in frames:
                own = segments.number_at(frame.time_s)
                if own < number:
                    before = FrameCheck.of(frame)
                    if segments.is_warm_up(number, frame.time_s):
                        observer.observe(frame)
                        head = observer.known
                    continue
                if own > number:
                    break
                results.append(observer.observe(frame))
                last = frame
                report(min(1.0, (frame.time_s - segments.begin_s(number)) / segments.segment_s))
    except SeekError:
        raise
    except MediaError as damage:
        error = str(damage)
    check = None if last is None else FrameCheck.of(last)
    return SegmentResult(tuple(results), head, observer.known, before, check, error)


def _in_order(frames: Iterable[VideoFrame], name: str) -> Generator[VideoFrame, None, None]:
    latest_s = -1.0
    for frame in frames:
        if frame.time_s <= latest_s:
            raise SeekError(f"{name} has frames whose times do not rise.")
        latest_s = frame.time_s
        yield frame


def join_segments(results: Iterable[SegmentResult], split: Split) -> Generator[FrameResult, None, None]:
    """Yield the analysed frames of a whole video, as the analysis by a single process gives them.

    Args:
        results: of the segments in their order; each is asked for once the one before is done with.
        split: the segments.

    Raises:
        SeekError: two segments do not see the same frame at their boundary.
        MediaError: the video is damaged there.
    """
    join, before = SegmentJoin(split.settings), None
    for result in results:
        if not result.frames and result.error is None:
            continue
        if before is not None and (result.before is None or result.before != before.last):
            raise SeekError("Decoding from a keyframe in its midst gives other frames than from its beginning.")
        join.begin(result.head, before.tail if before else None)
        for frame in result.frames:
            yield join.add(frame)
        if result.error is not None:
            raise MediaError(result.error)
        before = result
