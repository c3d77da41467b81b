"""Videos as frames, one at a time: an hour of them needs no more memory than a second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import av.container
import av.error
import numpy as np

from fer_core.errors import MediaError
from fer_core.files import atomic_path
from fer_core.imaging.frame_clock import EARLY_S, next_span_s
from fer_core.imaging.images import MAX_PIXELS
from fer_core.imaging.seeking import SeekPoint, read_frame_times
from fer_core.imaging.sound import Sound
from fer_core.imaging.truncation import lacks_bytes

# Fine enough to tell any two frames apart, and a clock that every player knows.
_CLOCK = Fraction(1, 90_000)
# Files are a third larger than with x264's `veryfast`, but a copy is made in much less time.
_X264 = {"crf": "20", "preset": "superfast"}
# What a video is said to have where its file does not tell.
_USUAL_RATE = 25
# A video may end so much before what its file announces, as a share of it, in frames and in seconds: announcements are
# rounded.
_MISSING_SHARE, _MISSING_FRAMES, _MISSING_S = 0.03, 2, 1.0
# What says how long it is at its beginning, and which of these mean by that when it ends by its own clock.
_ANNOUNCING, _END_ANNOUNCING = ("asf", "flv", "matroska,webm"), ("asf", "matroska,webm")
# Packets come at most so long before others that are shown earlier; and some formats go on a little late after a seek.
_MARGIN_S = 1.0
# And some go on later than asked for, so that they are asked for earlier frames.
_EARLIER_S = (0.0, 2.0, 8.0)


class SeekError(MediaError):
    """A video cannot be entered at some place so that its frames are those of the whole."""


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One frame.

    Attributes:
        index: its number in the video, from 0; frames that are left out count.
        time_s: when it is shown, seconds since the first.
        image_bgr: uint8 (h, w, 3), upright as the file says.
    """

    index: int
    time_s: float
    image_bgr: np.ndarray


class Video:
    """A video file that is open.

    Attributes:
        path: of the file.
        duration_s: how long it is as the file tells, seconds; None if it does not.
        rate: frames a second on average.
        first_s: time of its first frame by the file's own clock, seconds; known once a frame was given.
    """

    def __init__(self, container: av.container.InputContainer, path: Path, name: str) -> None:
        self._container, self.path, self._name = container, path, name
        self._stream = container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.duration_s = _duration_s(container)
        self.rate = self._stream.average_rate or Fraction(_USUAL_RATE)
        self.first_s: float | None = None

    def frames(
        self,
        every_s: float = 0.0,
        start_s: float = 0.0,
        end_s: float = math.inf,
        seek: SeekPoint | None = None,
        longest_px: int | None = None,
    ) -> Iterator[VideoFrame]:
        """Give the frames in the order they are shown.

        Args:
            every_s: seconds from one to the next; those between are left out. 0 gives all.
            start_s: time of the first to give, seconds since the video's first.
            end_s: time at which to stop, seconds since the video's first.
            seek: where to begin to decode, before `start_s`; looked for if None.
            longest_px: pictures with a longer side than this are made smaller; None leaves them as they are.

        Raises:
            SeekError: decoding does not go on exactly there.
            MediaError: the file is damaged from some place on, is cut off, or its pictures are too large.
        """
        index, decoded = self._enter(start_s, seek)
        due_s, time_s, rises = start_s, -math.inf, True
        while (frame := self._decode_next(decoded, index)) is not None:
            shown_s = frame.time if frame.time is not None else index / float(self.rate)
            self.first_s = shown_s if self.first_s is None else self.first_s
            latest_s, time_s = time_s, shown_s - self.first_s
            rises = rises and time_s > latest_s
            if time_s >= end_s - EARLY_S:
                # Where times do not rise, earlier ones may still come.
                if rises or time_s >= end_s + _MARGIN_S:
                    return
            elif time_s >= due_s - EARLY_S:
                due_s = max(start_s, next_span_s(time_s, every_s))
                yield VideoFrame(index, time_s, upright_bgr(frame, longest_px))
            index += 1
        self._require_whole(index, max(time_s, 0.0))

    def _enter(self, start_s: float, seek: SeekPoint | None) -> tuple[int, Iterator[av.VideoFrame]]:
        """Return the frames from a keyframe on, and the number of the first of them.

        Args:
            start_s: time of the first that is needed, seconds since the video's first.
            seek: the keyframe; if None one well before `start_s`, or the beginning where none can be entered exactly.
        """
        if seek is not None:
            return seek.index, self._decode_from(seek)
        times = read_frame_times(self.path, start_s + _MARGIN_S) if start_s > _MARGIN_S else None
        point = times.seek_point(start_s - _MARGIN_S) if times else None
        if point is None or not point.index:
            return 0, self._container.decode(self._stream)
        try:
            return point.index, self._decode_from(point)
        except SeekError:
            self.first_s = None
            return 0, self._decode_anew()

    def _decode_from(self, seek: SeekPoint) -> Iterator[av.VideoFrame]:
        """Return the frames from a keyframe on."""
        self.first_s = seek.first_s
        if not seek.index:
            return self._container.decode(self._stream)
        for earlier_s in _EARLIER_S:
            pts = seek.pts - round(earlier_s / (self._stream.time_base or 1))
            try:
                self._container.seek(pts, stream=self._stream)
                decoded = self._container.decode(self._stream)
                # Some are shown before the keyframe, though they come after it.
                frame = next((frame for frame in decoded if frame.pts is None or frame.pts >= seek.pts), None)
            except av.error.FFmpegError:
                continue
            if frame is not None and frame.pts == seek.pts:
                return chain([frame], decoded)
        raise SeekError(f"{self._name} does not go on exactly where it is entered.")

    def _decode_anew(self) -> Iterator[av.VideoFrame]:
        """Give the frames from the beginning, wherever the file was entered before."""
        with av.open(str(self.path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            yield from container.decode(container.streams.video[0])

    def _decode_next(self, decoded: Iterator[av.VideoFrame], index: int) -> av.VideoFrame | None:
        try:
            frame = next(decoded, None)
        except av.error.FFmpegError as error:
            raise MediaError(
                f"{self._name} is damaged after {index:,} frames: {error.strerror}. What was "
                "read up to there is kept; convert the video anew for the rest."
            ) from error
        if frame is not None and frame.width * frame.height > MAX_PIXELS:
            raise MediaError(
                f"{self._name} has frames of {frame.width} × {frame.height} pixels; expected at most "
                f"{MAX_PIXELS // 1_000_000} megapixels. Make it smaller and try again."
            )
        return frame

    def _require_whole(self, frames: int, last_s: float) -> None:
        """Refuse an end after `frames` frames, the last shown at `last_s`, that is before the announced one."""
        lacks = lacks_bytes(self.path)
        if lacks and self._stream.frames:
            missing = self._stream.frames - frames
            if missing > max(_MISSING_SHARE * self._stream.frames, _MISSING_FRAMES):
                raise self._cut_off(f"{frames:,} of {self._stream.frames:,} frames")
        elif self.duration_s and (lacks or (lacks is None and self._announces())):
            missing_s = self.duration_s - last_s - 1 / float(self.rate)
            tolerance_s = _MISSING_FRAMES / float(self.rate) if lacks else _MISSING_S
            if missing_s > max(_MISSING_SHARE * self.duration_s, tolerance_s):
                raise self._cut_off(f"{last_s:.1f} of {self.duration_s:.1f} seconds")

    def _announces(self) -> bool:
        """Return whether the file says how long its pictures go on; otherwise FFmpeg looked for the last ones."""
        silent = len(self._container.streams.get()) == 1
        return silent and self._container.format.name in _ANNOUNCING

    def _cut_off(self, read: str) -> MediaError:
        return MediaError(
            f"{self._name} is cut off after {read}. What was read up to there is kept; get the whole file for the rest."
        )


@contextmanager
def open_video(path: Path, name: str | None = None) -> Iterator[Video]:
    """Open a video for reading.

    Args:
        path: a file in any format that FFmpeg reads.
        name: what to call it in an error; its own name by default.

    Raises:
        MediaError: it cannot be read, or holds no video.
    """
    name = name or path.name
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(
            f"{name} cannot be read: expected a picture or a video, got something that is neither, or "
            f"is damaged ({error.strerror}). Check that it plays, or convert it anew."
        ) from error
    with container:
        if not container.streams.video:
            raise MediaError(f"{name} has no video stream{_others(container)}. Choose a video.")
        yield Video(container, path, name)


class VideoWriter:
    """Writes frames as H.264, each at its own time, and the sound that goes with them."""

    def __init__(self, container: av.container.OutputContainer, rate: Fraction, sound: Sound | None = None) -> None:
        self._container, self._rate, self._sound = container, rate, sound
        self._stream: av.VideoStream | None = None
        self._last = -1
        self._closed = False

    def write(self, image_bgr: np.ndarray, time_s: float) -> None:
        """Add a frame uint8 (h, w, 3) that is shown from `time_s` on.

        A last odd row or column of the first frame is left out; all others are brought to its size.
        """
        height, width = (side - side % 2 for side in image_bgr.shape[:2])
        if self._stream is None:
            self._stream = self._begin(width, height)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image_bgr[:height, :width]), format="bgr24").reformat(
            self._stream.width, self._stream.height, "yuv420p"
        )
        self._last = max(round(time_s / _CLOCK), self._last + 1)
        frame.pts, frame.time_base = self._last, _CLOCK
        self._container.mux(self._stream.encode(frame))
        if self._sound is not None:
            self._sound.write_until(time_s)

    def close(self, sound_until_s: float = 0.0) -> None:
        """Write what the encoder still holds, and the sound up to a time; a second call does nothing."""
        if self._stream is None or self._closed:
            return
        self._closed = True
        self._container.mux(self._stream.encode())
        if self._sound is not None:
            self._sound.write_until(sound_until_s)
            self._sound.close()

    def _begin(self, width: int, height: int) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=self._rate, options=_X264)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = _CLOCK
        if self._sound is not None:
            self._sound.add_to(self._container)
        return stream


@contextmanager
def write_video(path: Path, rate: Fraction, sound: Sound | None = None) -> Iterator[VideoWriter]:
    """Open an MP4 file for writing; it is at `path` once the block ends well.

    Args:
        path: file to write; one that is there is replaced.
        rate: frames a second on average, to plan the encoding by.
        sound: goes with the frames, up to the last of them unless the writer was closed before; none if None.
    """
    with atomic_path(path) as partial, av.open(str(partial), "w", format="mp4") as container:
        writer = VideoWriter(container, rate, sound)
        yield writer
        writer.close()


def _duration_s(container: av.container.InputContainer) -> float | None:
    """Return how long a video is as its file tells, from its first moment on, seconds; None if it does not."""
    if not container.duration:
        return None
    late = max(container.start_time or 0, 0) if container.format.name in _END_ANNOUNCING else 0
    return (container.duration - (late if late < container.duration else 0)) / av.time_base


def upright_bgr(frame: av.VideoFrame, longest_px: int | None = None) -> np.ndarray:
    """Return a decoded frame as uint8 (h, w, 3) BGR, upright as the file says, no side longer than `longest_px`."""
    scale = 1.0 if longest_px is None else min(1.0, longest_px / max(frame.width, frame.height))
    width, height = (None, None) if scale == 1.0 else (_even(scale * frame.width), _even(scale * frame.height))
    image_bgr = frame.to_ndarray(format="bgr24", width=width, height=height)
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image_bgr, quarters)) if quarters else image_bgr


def _even(side: float) -> int:
    return max(2, 2 * round(side / 2))


def _others(container: av.container.InputContainer) -> str:
    kinds = sorted({stream.type for stream in container.streams})
    return f", only {' and '.join(kinds)}" if kinds else ""
