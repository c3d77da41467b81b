"""Copies of pictures and videos with their faces marked, and blurred where that is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from fer_core.annotate import AnnotateOptions, annotate
from fer_core.files import atomic_path
from fer_core.imaging.sound import Sound, open_sound
from fer_core.imaging.video import Video, VideoFrame, VideoWriter, write_video
from fer_core.media.blur import VideoBlur, blur_faces
from fer_core.types import FrameResult

NO_SOUND = "none"


@dataclass(frozen=True)
class CopyOptions:
    """How copies are made.

    Attributes:
        draw: what is drawn on faces.
        blur: whether faces are blurred.
    """

    draw: AnnotateOptions
    blur: bool = False


def write_picture(image_bgr: np.ndarray, result: FrameResult, path: Path, options: CopyOptions) -> None:
    """Write the copy of a picture uint8 (h, w, 3) as PNG."""
    if options.blur:
        image_bgr = blur_faces(image_bgr, result.detections.xyxy)
    with atomic_path(path) as partial:
        cv2.imwrite(str(partial), annotate(image_bgr, result, options.draw))


class VideoCopy:
    """The copy of a video; there is none if no frame was written.

    Attributes:
        sound: what became of the video's sound, as text.
    """

    def __init__(self, files: ExitStack, path: Path, video: Video, rate: Fraction, options: CopyOptions) -> None:
        """Args:
        files: closes the copy; it is at `path` once that ended well.
        path: file to write; one that is there is replaced.
        video: what is copied.
        rate: frames a second on average.
        options: how.
        """
        self._files, self._path, self._video, self._rate, self._options = files, path, video, rate, options
        self._blur: VideoBlur[FrameResult] | None = VideoBlur() if options.blur else None
        self._writer: VideoWriter | None = None
        self._sound: Sound | None = None
        self._begin_s = self._last_s = 0.0

    @property
    def sound(self) -> str:
        return self._sound.outcome if self._sound else NO_SOUND

    def write(self, frame: VideoFrame, result: FrameResult, boxes: np.ndarray) -> None:
        """Write a frame.

        Args:
            frame: of the video.
            result: its faces.
            boxes: (n, 4), further places to blur, in pixels.
        """
        if self._writer is None:
            self._begin(frame.time_s)
        self._last_s = frame.time_s
        if self._blur is None:
            self._encode([(frame.image_bgr, result)])
        else:
            hidden = np.concatenate([result.detections.xyxy, boxes])
            self._encode(self._blur.add(frame.image_bgr, frame.time_s, hidden, result))

    def finish(self, end_s: float | None) -> None:
        """Write what still waits; the sound goes on to `end_s`, time of the video, or if None to the last frame."""
        if self._writer is None:
            return
        if self._blur is not None:
            self._encode(self._blur.flush())
        last_s = self._last_s + 1 / float(self._video.rate)
        self._writer.close((last_s if end_s is None else end_s) - self._begin_s)

    def _begin(self, begin_s: float) -> None:
        assert self._video.first_s is not None
        self._begin_s = begin_s
        self._sound = self._files.enter_context(open_sound(self._video.path, self._video.first_s + begin_s))
        self._writer = self._files.enter_context(write_video(self._path, self._rate, self._sound))

    def _encode(self, frames: Iterable[tuple[np.ndarray, FrameResult]]) -> None:
        assert self._writer is not None
        for image_bgr, result in frames:
            self._writer.write(annotate(image_bgr, result, self._options.draw), result.time_s - self._begin_s)
