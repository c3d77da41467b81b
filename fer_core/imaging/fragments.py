"""A video that is written while it is filmed: whatever ends the writing, what is in the file can be played.

MP4 in fragments of a second, each complete in itself. Players find their way in it only by reading all of it, so a
video that is finished is copied, packet by packet, into an ordinary MP4 file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import av.error
import cv2
import numpy as np
from av.video.frame import PictureType

from fer_core.errors import MediaError

FRAGMENT_S = 1.0
PARTIAL = ".partial-"  # begins the name of a copy that is being made
_KEYFRAME_S = 2.0  # a player that is sent elsewhere decodes so much at most
_CLOCK = Fraction(1, 90_000)
_PLANNED_FPS = 15
# Two and a half milliseconds for 640 × 480. The entropy coder and the filter that `ultrafast` leaves out take a quarter
# off the file for a tenth of a millisecond. No frame waits in the encoder, so that a killed process loses none there.
_X264 = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "crf": "26",
    "maxrate": "1200k",
    "bufsize": "2400k",
    "x264-params": "cabac=1:deblock=0,0",
}
_MP4 = {
    "movflags": "empty_moov+default_base_moof",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    "flush_packets": "1",
}


@dataclass(frozen=True)
class VideoFacts:
    """What a video file holds.

    Attributes:
        size_wh: its pictures' width and height, pixels.
        frames: how many there are.
        length_s: from the first to the end of the last, seconds.
    """

    size_wh: tuple[int, int]
    frames: int
    length_s: float


class FragmentWriter:
    """Writes pictures as H.264, each at its own time.

    Args:
        file: to write to, without a buffer of its own; it need not be able to seek.
        size_wh: of the video, pixels; an odd column or row is left out. Pictures of another size are brought to it,
            with black beside or above them where their shape is another.
    """

    def __init__(self, file: BinaryIO, size_wh: tuple[int, int]) -> None:
        self._container = av.open(file, "w", format="mp4", options=_MP4)
        self._stream = self._container.add_stream("libx264", rate=_PLANNED_FPS, options=_X264)
        self.size_wh = (size_wh[0] - size_wh[0] % 2, size_wh[1] - size_wh[1] % 2)
        self._stream.width, self._stream.height = self.size_wh
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = _CLOCK
        self._stream.codec_context.thread_count = 1  # threads that wait for one another take more from a busy server
        self._stream.codec_context.gop_size = 100_000  # keyframes come by time
        self._last, self._key_s = -1, -_KEYFRAME_S

    def write(self, image_bgr: np.ndarray, time_s: float) -> None:
        """Add a picture, uint8 (h, w, 3), that is shown from `time_s` on, seconds since the first.

        Raises:
            MediaError: it cannot be encoded.
            OSError: it cannot be written.
        """
        fitted: Any = cv2.cvtColor(_fitted(image_bgr, self.size_wh), cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(fitted, format="yuv420p")
        self._last = max(round(time_s / _CLOCK), self._last + 1)
        frame.pts, frame.time_base = self._last, _CLOCK
        if time_s - self._key_s >= _KEYFRAME_S:
            frame.pict_type, self._key_s = PictureType.I, time_s
        with _media_errors("The picture cannot be encoded"):
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left; raises as `write` does."""
        with _media_errors("The video cannot be ended"):
            try:
                self._container.mux(self._stream.encode())
            finally:
                self._container.close()


def finish_video(path: Path) -> VideoFacts:
    """Make a video in fragments, whole or cut off, an ordinary MP4 file in its place; return what it holds.

    Raises:
        MediaError: nothing of it can be read, or there is no room for the copy; the file stays as it was.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=PARTIAL, suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise MediaError(f"The video cannot be finished: {error.strerror}.") from error
    partial = Path(name)
    try:
        _copy(path, partial)
        os.fsync(handle)
        facts = video_facts(partial)
        os.replace(partial, path)
    finally:
        os.close(handle)
        partial.unlink(missing_ok=True)
    return facts


def require_video(path: Path) -> None:
    """Raise MediaError if a file cannot be opened as a video; its pictures are not looked at."""
    with _media_errors(f"{path.name} cannot be read"), av.open(str(path)) as container:
        if not container.streams.video:
            raise MediaError(f"{path.name} is no video: expected an MP4 file with pictures. Put it back from a copy.")


def video_facts(path: Path) -> VideoFacts:
    """Return what a video file holds, from its packets; nothing is decoded.

    Raises:
        MediaError: it cannot be read, or holds no picture.
    """
    with _media_errors(f"{path.name} cannot be read"), av.open(str(path)) as container:
        stream = next(iter(container.streams.video), None)
        begin = end = frames = 0
        packets = container.demux(stream) if stream else iter(())
        while (packet := _next(packets)) is not None:
            if packet.pts is not None:
                begin = packet.pts if not frames else begin
                end, frames = packet.pts + (packet.duration or 0), frames + 1
        if not frames or stream is None or stream.time_base is None:
            raise MediaError(f"{path.name} holds no picture. Put it back from a copy.")
        return VideoFacts((stream.width, stream.height), frames, float((end - begin) * stream.time_base))


def _copy(source: Path, target: Path) -> None:
    with (
        _media_errors("The video cannot be finished"),
        av.open(str(source)) as container,
        av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as copy,
    ):
        stream = copy.add_stream_from_template(container.streams.video[0])
        packets = container.demux(container.streams.video[0])
        while (packet := _next(packets)) is not None:
            packet.stream = stream
            copy.mux(packet)


def _next(packets: Iterator[av.Packet]) -> av.Packet | None:
    """Return the next packet that holds something; None at the end, also at one that is cut off."""
    with suppress(av.error.FFmpegError):
        return next((packet for packet in packets if packet.size), None)
    return None


def _fitted(image_bgr: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Return a picture at a size, its shape kept."""
    height, width = image_bgr.shape[:2]
    if (width - width % 2, height - height % 2) == size_wh:
        return np.ascontiguousarray(image_bgr[: size_wh[1], : size_wh[0]])
    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner_wh = (max(round(width * scale), 1), max(round(height * scale), 1))
    canvas = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    left, top = (size_wh[0] - inner_wh[0]) // 2, (size_wh[1] - inner_wh[1]) // 2
    canvas[top : top + inner_wh[1], left : left + inner_wh[0]] = cv2.resize(
        image_bgr, inner_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return canvas


@contextmanager
def _media_errors(what: str) -> Generator[None, None, None]:
    try:
        yield
    except av.error.FFmpegError as error:
        raise MediaError(f"{what}: {error.strerror}.") from error
