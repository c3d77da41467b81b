"""Pictures and videos through the same line as the live stream, with a table of results."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from fer_core.annotate import AnnotateOptions
from fer_core.errors import MediaError
from fer_core.imaging.images import read_image
from fer_core.imaging.overlap import call_in_thread, map_ahead
from fer_core.imaging.video import Video, VideoFrame, open_video
from fer_core.media.blur import RecordingDetector
from fer_core.media.copies import CopyOptions, VideoCopy, write_picture
from fer_core.media.sources import is_picture
from fer_core.recognition.pipeline import StreamSettings
from fer_core.recognition.segments import SEGMENT_S
from fer_core.recognition.table import Table
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import FrameResult

# Frames that wait to be encoded.
_WAITING_FRAMES = 4
# Each takes up to 180 MB while it is worked on.
_PICTURES_AT_A_TIME = 8
# (bytes of the files that are done, with the share of the current one; bytes of all files)
Report = Callable[[float, int], None]
# (name of a file, a frame uint8 (h, w, 3), what was found in it)
Watch = Callable[[str, np.ndarray, FrameResult], None]


@dataclass(frozen=True)
class Choices:
    """How media are analysed.

    Attributes:
        every_s: seconds from one analysed frame of a video to the next; 0 analyses all.
        smoothing_s: time constant of the scores' exponential filter in seconds; 0 gives raw scores.
        annotated: folder for annotated copies; none if None.
        label_set: what faces are scored for; the model's default if None.
        blur: whether faces are blurred in the copies.
        start_s: time of a video's first frame that is analysed, seconds since its first.
        end_s: time at which a video's analysis stops, seconds since its first.
        segment_s: length of the segments of long videos, seconds, see `fer_core.recognition.segments`.

    Raises:
        MediaError: the end is not after the start.
    """

    every_s: float = 0.0
    smoothing_s: float = 0.0
    annotated: Path | None = None
    label_set: str | None = None
    blur: bool = False
    start_s: float = 0.0
    end_s: float = math.inf
    segment_s: float = SEGMENT_S

    def __post_init__(self) -> None:
        if self.end_s <= self.start_s:
            raise MediaError(
                f"The end must be after the start, {self.start_s:g} s, got {self.end_s:g} s. Choose a later end."
            )

    def metadata(self) -> dict[str, Any]:
        """Return everything needed to reproduce the table, and when it was made, as plain JSON values."""
        return {
            "made_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "every_s": self.every_s,
            "smoothing_s": self.smoothing_s,
            "start_s": self.start_s,
            "end_s": None if math.isinf(self.end_s) else self.end_s,
            "segment_s": self.segment_s,
            "faces_blurred": self.blur,
        }


def analyze_files(
    recognizer: EmotionRecognizer,
    files: Mapping[str, Path],
    out: TextIO,
    choices: Choices,
    report: Report = lambda *_: None,
    watch: Watch = lambda *_: None,
    table_type: type[Table] = Table,
) -> list[dict[str, Any]]:
    """Find and score all faces of pictures and videos; one that cannot be read does not keep the others from it.

    Args:
        recognizer: the model.
        files: what each is called in the table, to where it lies.
        out: gets the table.
        choices: how it is done.
        report: called at the beginning of each file and after each frame of a video with how far it is.
        watch: is shown every analysed frame.
        table_type: the format of the table.

    Returns:
        Of each file its name `file`, the number of `frames` that were analysed, 1 for a picture, for a video with a
        copy what became of its `sound`, and, where it could not be read, or not to its end, an `error` in words.
    """
    recognizer = recognizer.with_label_set(choices.label_set or recognizer.label_set)
    table = table_type(out, recognizer.labels, recognizer.uncertain_below)
    outcomes = []
    sizes = [size_bytes(path) for path in files.values()]
    total = sum(sizes)
    with closing(_pictures(recognizer, files, choices)) as pictures:
        for number, (name, path) in enumerate(files.items()):
            before, size = sum(sizes[:number]), sizes[number]
            report(before, total)
            file = _File(
                recognizer,
                name,
                path,
                table,
                choices,
                watch,
                lambda share, before=before, size=size: report(before + share * size, total),
            )
            try:
                if is_picture(path):
                    file.take_picture(next(pictures))
                else:
                    file.analyze_video()
                outcomes.append(file.outcome())
            except MediaError as error:
                outcomes.append({**file.outcome(), "error": str(error)})
    return outcomes


def _pictures(
    recognizer: EmotionRecognizer, files: Mapping[str, Path], choices: Choices
) -> Generator[_Picture | MediaError, None, None]:
    """Give of each picture what is in it, in their order; the next ones are analysed meanwhile."""
    copies = _copy_options(recognizer, choices)

    def analyze(named: tuple[str, Path]) -> _Picture | MediaError:
        name, path = named
        try:
            image_bgr = read_image(path, Path(name).name)
        except MediaError as error:
            return error
        result = recognizer.analyze(image_bgr)
        if choices.annotated:
            write_picture(image_bgr, result, copy_path(path, choices.annotated), copies)
        return _Picture(image_bgr, result)

    pictures = [(name, path) for name, path in files.items() if is_picture(path)]
    return map_ahead(analyze, pictures, min(os.cpu_count() or 1, _PICTURES_AT_A_TIME))


def _copy_options(recognizer: EmotionRecognizer, choices: Choices) -> CopyOptions:
    draw = AnnotateOptions(threshold=recognizer.uncertain_below or 0.0, numbers=True)
    return CopyOptions(draw, choices.blur)


def copy_path(path: Path, folder: Path) -> Path:
    """Return where the annotated copy of a file goes: named after the whole of its name, its end too."""
    return folder / f"{path.name}.annotated{'.png' if is_picture(path) else '.mp4'}"


def size_bytes(path: Path) -> int:
    """Return a file's size, by which progress is measured; 1 where it cannot be told."""
    try:
        return max(1, path.stat().st_size)
    except OSError:
        return 1


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    image_bgr: np.ndarray
    result: FrameResult


class _File:
    """One file on its way into the table."""

    def __init__(
        self,
        recognizer: EmotionRecognizer,
        name: str,
        path: Path,
        table: Table,
        choices: Choices,
        watch: Watch,
        report: Callable[[float], None],
    ) -> None:
        self._recognizer, self._name, self._path = recognizer, name, path
        self._short = Path(name).name  # in what is said of it
        self._table, self._choices, self._watch, self._report = table, choices, watch, report
        self._copies = _copy_options(recognizer, choices)
        self._frames = 0
        self._sound: str | None = None

    def outcome(self) -> dict[str, Any]:
        """Return what is told of it afterwards."""
        sound = {} if self._sound is None else {"sound": self._sound}
        return {"file": self._name, "frames": self._frames, **sound}

    def take_picture(self, picture: _Picture | MediaError) -> None:
        """Write what is in it to the table."""
        if isinstance(picture, MediaError):
            raise picture
        self._take(picture.image_bgr, picture.result, is_video=False)

    def analyze_video(self) -> None:
        """Find and score its faces, frame by frame."""
        choices = self._choices
        with open_video(self._path, self._short) as video, ExitStack() as files:
            if not choices.annotated:
                damage = self._follow(video, lambda *_: None)
            else:
                rate = _rate(video.rate, choices.every_s)
                copy = VideoCopy(files, copy_path(self._path, choices.annotated), video, rate, self._copies)
                with call_in_thread(copy.write, _WAITING_FRAMES) as write:
                    damage = self._follow(video, write)
                copy.finish(None if damage else choices.end_s)
                self._sound = copy.sound
        if damage:
            raise damage
        if not self._frames:
            raise MediaError(self._nothing_in(video))

    def _follow(self, video: Video, write: Callable[[VideoFrame, FrameResult, np.ndarray], None]) -> MediaError | None:
        """Analyse the frames of a video, to its end or to where it is damaged; return that as an error."""
        choices, settings = self._choices, StreamSettings(smoothing_s=self._choices.smoothing_s)
        detector = RecordingDetector(self._recognizer.detector)
        recognizer = self._recognizer.with_detector(detector)
        try:
            with closing(
                recognizer.follow(video, choices.every_s, settings, choices.start_s, choices.end_s, choices.segment_s)
            ) as frames:
                for frame, result in frames:
                    self._take(frame.image_bgr, result, is_video=True)
                    write(frame, result, detector.take())
                    self._report(self._share(frame.time_s, video.duration_s))
        except MediaError as error:
            return error
        return None

    def _share(self, time_s: float, duration_s: float | None) -> float:
        """Return how much of a video is done, 0 to 1."""
        end_s, start_s = min(self._choices.end_s, duration_s or math.inf), self._choices.start_s
        return 0.0 if math.isinf(end_s) or end_s <= start_s else min((time_s - start_s) / (end_s - start_s), 1.0)

    def _nothing_in(self, video: Video) -> str:
        if self._choices.start_s > 0:
            length = f"; it is {video.duration_s:.1f} s long" if video.duration_s else ""
            return f"{self._short} has no frame from {self._choices.start_s:g} s on{length}. Choose an earlier start."
        return f"{self._short} holds no frame that can be read. Convert it anew."

    def _take(self, image_bgr: np.ndarray, result: FrameResult, is_video: bool) -> None:
        self._table.add(self._name, result, result.time_s if is_video else None)
        self._watch(self._name, image_bgr, result)
        self._frames += 1


def _rate(rate: Fraction, every_s: float) -> Fraction:
    """Return how many frames a second a copy has whose frames are so far apart at least."""
    return min(rate, Fraction(1 / every_s).limit_denominator(1000)) if every_s else rate
