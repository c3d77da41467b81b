"""Pictures and videos through the same line as the live stream, with a table of results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np

from fer_core.annotate import AnnotateOptions, annotate
from fer_core.errors import MediaError
from fer_core.files import atomic_path
from fer_core.imaging.images import read_image
from fer_core.imaging.video import open_video, write_video
from fer_core.recognition.pipeline import StreamSettings
from fer_core.recognition.table import Table
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import FrameResult

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif")
VIDEOS = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"),
    *(".wmv", ".mts", ".m2ts", ".ts", ".3gp", ".flv", ".ogv", ".gif"),
)
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
    """

    every_s: float = 0.0
    smoothing_s: float = 0.0
    annotated: Path | None = None
    label_set: str | None = None

    def metadata(self) -> dict[str, Any]:
        """Return everything needed to reproduce the table, and when it was made, as plain JSON values."""
        return {
            "made_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "every_s": self.every_s,
            "smoothing_s": self.smoothing_s,
        }


def find_media(paths: Sequence[Path]) -> list[Path]:
    """Return the files, and in place of each folder the pictures and videos in it, by name.

    Raises:
        MediaError: one of them is not there, or a folder holds neither.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            files = sorted(
                file for file in path.iterdir() if file.suffix.lower() in PICTURES + VIDEOS and file.is_file()
            )
            if not files:
                raise MediaError(
                    f"{path} holds no picture and no video: expected files that end in "
                    f"{', '.join(PICTURES + VIDEOS)}. Name another folder, or the files themselves."
                )
            found += files
        elif path.is_file():
            found.append(path)
        else:
            raise MediaError(f"{path} is not there. Name pictures, videos or folders of them.")
    return list(dict.fromkeys(found))


def analyze_files(
    recognizer: EmotionRecognizer,
    files: Mapping[str, Path],
    out: TextIO,
    choices: Choices,
    report: Report = lambda *_: None,
    watch: Watch = lambda *_: None,
) -> list[dict[str, Any]]:
    """Find and score all faces of pictures and videos; one that cannot be read does not keep the others from it.

    Args:
        recognizer: the model.
        files: what each is called in the table, to where it lies.
        out: gets the `Table`.
        choices: how it is done.
        report: called at the beginning of each file and after each frame of a video with how far it is.
        watch: is shown every analysed frame.

    Returns:
        Of each file its name `file`, the number of `frames` that were analysed, 1 for a picture, and, where it could
        not be read, or not to its end, an `error` in words.
    """
    recognizer = recognizer.with_label_set(choices.label_set or recognizer.label_set)
    table = Table(out, recognizer.labels, recognizer.uncertain_below)
    outcomes = []
    sizes = [_size_bytes(path) for path in files.values()]
    for number, (name, path) in enumerate(files.items()):
        before, size, total = sum(sizes[:number]), sizes[number], sum(sizes)
        report(before, total)
        file = _File(
            recognizer,
            name,
            path,
            table,
            choices,
            watch,
            lambda share, before=before, size=size, total=total: report(before + share * size, total),
        )
        try:
            file.analyze()
            outcomes.append({"file": name, "frames": file.frames})
        except MediaError as error:
            outcomes.append({"file": name, "frames": file.frames, "error": str(error)})
    return outcomes


def copy_path(path: Path, folder: Path) -> Path:
    """Return where the annotated copy of a file goes: named after the whole of its name, its end too."""
    return folder / f"{path.name}.annotated{'.png' if is_picture(path) else '.mp4'}"


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture by its name, not a video."""
    return path.suffix.lower() in PICTURES


def _size_bytes(path: Path) -> int:
    """Return a file's size, by which progress is measured; 1 where it cannot be told."""
    try:
        return max(1, path.stat().st_size)
    except OSError:
        return 1


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
        self._draw = AnnotateOptions(threshold=recognizer.uncertain_below or 0.0, numbers=True)
        self.frames = 0

    def analyze(self) -> None:
        """Find and score its faces."""
        if is_picture(self._path):
            self._picture()
        else:
            self._video()

    def _picture(self) -> None:
        image_bgr = read_image(self._path, self._short)
        result = self._recognizer.analyze(image_bgr)
        self._take(image_bgr, result, is_video=False)
        if self._choices.annotated:
            with atomic_path(copy_path(self._path, self._choices.annotated)) as partial:
                cv2.imwrite(str(partial), annotate(image_bgr, result, self._draw))

    def _video(self) -> None:
        choices = self._choices
        settings = StreamSettings(smoothing_s=choices.smoothing_s)
        with open_video(self._path, self._short) as video, ExitStack() as stack:
            writer = None
            if choices.annotated:
                rate = (
                    min(video.rate, Fraction(1 / choices.every_s).limit_denominator(1000))
                    if choices.every_s
                    else video.rate
                )
                writer = stack.enter_context(write_video(copy_path(self._path, choices.annotated), rate))
            for frame, result in self._recognizer.follow(video, choices.every_s, settings):
                self._take(frame.image_bgr, result, is_video=True)
                if writer:
                    writer.write(annotate(frame.image_bgr, result, self._draw), frame.time_s)
                self._report(min(frame.time_s / video.duration_s, 1.0) if video.duration_s else 0.0)
            if not self.frames:
                raise MediaError(f"{self._short} holds no frame that can be read. Convert it anew.")

    def _take(self, image_bgr: np.ndarray, result: FrameResult, is_video: bool) -> None:
        self._table.add(self._name, result, result.time_s if is_video else None)
        self._watch(self._name, image_bgr, result)
        self.frames += 1
