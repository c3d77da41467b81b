"""Videos as frames, one at a time: an hour of them needs no more memory than a second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np

from fer_core.errors import MediaError
from fer_core.files import atomic_path
from fer_core.imaging.images import MAX_PIXELS

# Fine enough to tell any two frames apart, and a clock that every player knows.
_CLOCK = Fraction(1, 90_000)
# What a video is said to have where its file does not tell.
_USUAL_RATE = 25
# A video may end so much before what its file announces, as a share of it, in frames and in seconds: announcements are
# rounded, and sound may go on after the picture.
_MISSING_SHARE, _MISSING_FRAMES, _MISSING_S = 0.03, 2, 1.0
# A frame so little before its time is in time: clocks of files are rounded.
_EARLY_S = 0.0005


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
        duration_s: how long it is as the file tells, seconds; None if it does not.
        rate: frames a second on average.
    """

    def __init__(self, container: av.container.InputContainer, name: str) -> None:
        self._container, self._name = container, name
        self._stream = container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.duration_s = container.duration / av.time_base if container.duration else None
        self.rate = self._stream.average_rate or Fraction(_USUAL_RATE)

    def frames(self, every_s: float = 0.0) -> Iterator[VideoFrame]:
        """Give the frames in the order they are shown.

        Args:
            every_s: seconds from one to the next; those between are left out. 0 gives all.

        Raises:
            MediaError: the file is damaged from some place on, ends before the length it announces, or its pictures
                are too large.
        """
        first_s, due_s, index, time_s = None, 0.0, 0, 0.0
        decoded = self._container.decode(self._stream)
        while True:
            try:
                frame = next(decoded, None)
            except av.error.FFmpegError as error:
                raise MediaError(
                    f"{self._name} is damaged after {max(index, 0):,} frames: {error.strerror}. What was "
                    "read up to there is kept; convert the video anew for the rest."
                ) from error
            if frame is None:
                self._require_whole(index, time_s)
                return
            if frame.width * frame.height > MAX_PIXELS:
                raise MediaError(
                    f"{self._name} has frames of {frame.width} × {frame.height} pixels; expected at most "
                    f"{MAX_PIXELS // 1_000_000} megapixels. Make it smaller and try again."
                )
            shown_s = frame.time if frame.time is not None else index / float(self.rate)
            first_s = shown_s if first_s is None else first_s
            time_s = shown_s - first_s
            if time_s >= due_s - _EARLY_S:
                due_s = every_s * (math.floor((time_s + _EARLY_S) / every_s) + 1) if every_s else 0.0
                yield VideoFrame(index, time_s, _upright(frame))
            index += 1

    def _require_whole(self, frames: int, last_s: float) -> None:
        """Refuse an end after `frames` frames, the last shown at `last_s`, that is well before the announced one."""
        announced = self._stream.frames
        if announced:
            missing = announced - frames
            if missing > max(_MISSING_SHARE * announced, _MISSING_FRAMES):
                raise self._cut_off(f"{frames:,} of {announced:,} frames")
            return
        silent = len(self._container.streams.get()) == 1
        if (
            silent
            and self.duration_s
            and self.duration_s - last_s - 1 / float(self.rate) > max(_MISSING_SHARE * self.duration_s, _MISSING_S)
        ):
            raise self._cut_off(f"{last_s:.1f} of {self.duration_s:.1f} seconds")

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
        yield Video(container, name)


class VideoWriter:
    """Writes frames as H.264, each at its own time."""

    def __init__(self, container: av.container.OutputContainer, rate: Fraction) -> None:
        self._container, self._rate = container, rate
        self._stream: av.VideoStream | None = None
        self._last = -1

    def write(self, image_bgr: np.ndarray, time_s: float) -> None:
        """Add a frame uint8 (h, w, 3) that is shown from `time_s` on.

        A last odd row or column of the first frame is left out; all others are brought to its size.
        """
        height, width = (side - side % 2 for side in image_bgr.shape[:2])
        if self._stream is None:
            self._stream = self._container.add_stream("libx264", rate=self._rate, options={"crf": "20"})
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
            self._stream.codec_context.time_base = _CLOCK
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image_bgr[:height, :width]), format="bgr24").reformat(
            self._stream.width, self._stream.height, "yuv420p"
        )
        self._last = max(round(time_s / _CLOCK), self._last + 1)
        frame.pts, frame.time_base = self._last, _CLOCK
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())


@contextmanager
def write_video(path: Path, rate: Fraction) -> Iterator[VideoWriter]:
    """Open an MP4 file for writing; it is at `path` once the block ends well.

    Args:
        path: file to write; one that is there is replaced.
        rate: frames a second on average, to plan the encoding by.
    """
    with atomic_path(path) as partial, av.open(str(partial), "w", format="mp4") as container:
        writer = VideoWriter(container, rate)
        yield writer
        writer.close()


def _upright(frame: av.VideoFrame) -> np.ndarray:
    image_bgr = frame.to_ndarray(format="bgr24")
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image_bgr, quarters)) if quarters else image_bgr


def _others(container: av.container.InputContainer) -> str:
    kinds = sorted({stream.type for stream in container.streams})
    return f", only {' and '.join(kinds)}" if kinds else ""
