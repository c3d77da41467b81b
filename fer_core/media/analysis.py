"""Pictures and videos through the same line as the live stream, and what is found as a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from fer_core.annotate import AnnotateOptions, annotate
from fer_core.detection.haar import HaarDetector
from fer_core.errors import MediaError
from fer_core.files import atomic_path
from fer_core.media.images import decode_image
from fer_core.media.video import open_video, write_video
from fer_core.recognition.pipeline import StreamAnalyzer, StreamSettings
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import Detections, FrameResult

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".gif")
# No picture of these formats is larger; reading a file of another kind whole would take all memory.
_MAX_PICTURE_BYTES = 250_000_000
_BOX = ("left", "top", "right", "bottom")

# (file, seconds of it that are done, its length in seconds or None)
Report = Callable[[Path, float, float | None], None]


@dataclass(frozen=True)
class Choices:
    """How media are analysed.

    Attributes:
        every_s: seconds from one analysed frame of a video to the next; 0 analyses all.
        smoothing_s: time constant of the scores' exponential filter in seconds; 0 gives raw scores.
        annotated: folder for annotated copies; none if None.
    """

    every_s: float = 0.0
    smoothing_s: float = 0.0
    annotated: Path | None = None


class Table:
    """One row a face, as CSV: written as faces are found, so that what was found stays, whatever comes.

    A frame without a face is a row too, with nothing in its columns from `face` on: no face is a result. A picture
    has no `time_s`. `face` is the same number for the same face throughout one video. Boxes are in pixels of the
    frame; scores run from 0 to 1. `uncertain` is yes where the best score is below the model's own threshold.
    """

    def __init__(self, file: TextIO, labels: Sequence[str], uncertain_below: float | None) -> None:
        self._file, self._labels = file, tuple(labels)
        self._uncertain_below = uncertain_below or 0.0
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(["file", "frame", "time_s", "face", *_BOX, "expression", "uncertain", *self._labels])

    def add(self, name: str, result: FrameResult, is_video: bool) -> None:
        """Write what was found in one picture or frame of the file `name`."""
        where = [name, result.index, f"{result.time_s:.3f}" if is_video else ""]
        if not len(result):
            self._writer.writerow(where + [""] * (len(_BOX) + 3 + len(self._labels)))
        for xyxy, face, word, probs in zip(result.detections.xyxy, result.track_id, result.prediction.top,
                                           result.prediction.probs, strict=True):
            uncertain = "yes" if probs.max() < self._uncertain_below else "no"
            self._writer.writerow([*where, int(face), *(f"{value:.1f}" for value in xyxy), word, uncertain,
                                   *(f"{value:.4f}" for value in probs)])
        self._file.flush()


class _Thorough:
    """The detector of a stream that need not keep up with a camera: every look at a whole frame is the best one."""

    def __init__(self) -> None:
        self._detector = HaarDetector()
        self.detect = self._detector.detect
        self.detect_near = self._detector.detect_near

    def glance(self, gray: np.ndarray, number: int) -> Detections:
        return self._detector.detect(gray)


def find_media(paths: Sequence[Path]) -> list[Path]:
    """Return the files, and in place of each folder the pictures and videos in it, by name.

    Raises:
        MediaError: one of them is not there, or a folder holds neither.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES + VIDEOS and file.is_file())
            if not files:
                raise MediaError(f"{path} holds no picture and no video: expected files that end in "
                                 f"{', '.join(PICTURES + VIDEOS)}. Name another folder, or the files themselves.")
            found += files
        elif path.is_file():
            found.append(path)
        else:
            raise MediaError(f"{path} is not there. Name pictures, videos or folders of them.")
    return list(dict.fromkeys(found))


def analyze_file(recognizer: EmotionRecognizer, path: Path, table: Table, choices: Choices,
                 report: Report = lambda *_: None) -> int:
    """Find and score all faces of one picture or video, and write them into the table.

    Args:
        recognizer: the model.
        path: the file.
        table: gets a row for each face of each frame.
        choices: how it is done.
        report: is told how far it is.

    Returns:
        The number of frames; 1 for a picture.

    Raises:
        MediaError: the file cannot be read, or not to its end; what was found before stays in the table.
    """
    if path.suffix.lower() in PICTURES:
        return _analyze_picture(recognizer, path, table, choices)
    frames = 0
    draw = AnnotateOptions(threshold=recognizer.card.uncertain_below or 0.0)
    # Faces of one file are none of another's: a new analyzer counts them from 0.
    analyzer = StreamAnalyzer(_Thorough(), recognizer, StreamSettings(smoothing_s=choices.smoothing_s), trusting=True)
    with open_video(path) as video, ExitStack() as stack:
        rate = min(video.rate, Fraction(1 / choices.every_s).limit_denominator(1000)) if choices.every_s else video.rate
        writer = stack.enter_context(write_video(copy_path(path, choices.annotated), rate)) if choices.annotated else None
        for frame in video.frames(choices.every_s):
            found = analyzer.process(frame.image_bgr, frame.time_s)
            result = FrameResult(frame.index, found.time_s, found.size_wh, found.detections, found.prediction,
                                 found.track_id)
            table.add(str(path), result, is_video=True)
            if writer:
                writer.write(annotate(frame.image_bgr, result, draw), frame.time_s)
            frames += 1
            report(path, frame.time_s, video.duration_s)
    if not frames:
        raise MediaError(f"{path.name} holds no frame that can be read. Convert it anew.")
    return frames


def copy_path(path: Path, folder: Path) -> Path:
    """Return where the annotated copy of a file goes: beside those of other files, named after the whole of its name."""
    return folder / f"{path.name}.annotated{'.png' if path.suffix.lower() in PICTURES else '.mp4'}"


def _analyze_picture(recognizer: EmotionRecognizer, path: Path, table: Table, choices: Choices) -> int:
    if (size := path.stat().st_size) > _MAX_PICTURE_BYTES:
        raise MediaError(f"{path.name} has {size / 1e6:,.0f} MB; expected a picture of at most "
                         f"{_MAX_PICTURE_BYTES / 1e6:,.0f} MB.")
    image_bgr = decode_image(path.read_bytes(), path.name)
    result = recognizer.analyze(image_bgr)
    table.add(str(path), result, is_video=False)
    if choices.annotated:
        drawn = annotate(image_bgr, result, AnnotateOptions(threshold=recognizer.card.uncertain_below or 0.0))
        with atomic_path(copy_path(path, choices.annotated)) as partial:
            cv2.imwrite(str(partial), drawn)
    return 1
