"""The work behind the page of pictures and videos: uploads in, what was found out, nothing left on the disk."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from fer_core.errors import MediaError
from fer_core.media.analysis import Choices, analyze_files, copy_path
from fer_core.recognition.provenance import metadata
from fer_core.recognition.table import read_table
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import FrameResult
from fer_core.ui.components.face_cards import portrait
from fer_core.ui.components.jobs import JobStopped, Report

# More portraits than cards are shown would be made for nothing.
_MAX_PORTRAITS = 12
# Of folders with somebody's pictures; the number of the process follows.
_PREFIX = "fer-media-"


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in some files.

    Attributes:
        csv: the table as a file.
        rows: the same, to be drawn.
        about: its `metadata`.
        copies: by name of a file, its copy with faces marked: PNG, or MP4 of a video.
        portraits: by name of a file and number of a face, its picture as an address of its own.
        stopped: whether the work was stopped before its end.
    """

    csv: bytes
    rows: pd.DataFrame
    about: dict[str, Any]
    copies: dict[str, bytes]
    portraits: dict[str, dict[int, str]]
    stopped: bool


def analyse(recognizer: EmotionRecognizer, uploads: Sequence[BinaryIO], choices: Choices, report: Report) -> Found:
    """Analyse uploaded files.

    Args:
        recognizer: the model.
        uploads: files open for reading, with their `name`.
        choices: how it is done; where copies go is decided here.
        report: is told how far it is, and raises `JobStopped` where it is to end.

    Raises:
        MediaError: there is no room for the files.
    """
    out, gallery, stopped = io.StringIO(), _Gallery(), False
    _remove_abandoned()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as folder:
        files = _saved(uploads, Path(folder))
        choices = replace(choices, annotated=Path(folder) / "copies")
        done = dict.fromkeys(files, 0)

        def watch(name: str, image_bgr: np.ndarray, result: FrameResult) -> None:
            done[name] += 1
            gallery.add(name, image_bgr, result)

        try:
            told = analyze_files(recognizer, files, out, choices, report, watch)
        except JobStopped:
            stopped, told = True, [{"file": name, "frames": frames} for name, frames in done.items()]
        except OSError as error:
            raise MediaError(
                f"The copies cannot be written: {error.strerror}. Make room on the disk of the "
                "computer that runs this page."
            ) from error
        copies = {
            name: path.read_bytes() for name in files if (path := copy_path(files[name], choices.annotated)).exists()
        }
    csv = out.getvalue().encode()
    details = metadata(recognizer.card, choices.label_set, **choices.told(), files=told)
    return Found(csv, read_table(csv), details, copies, gallery.portraits, stopped)


def _remove_abandoned() -> None:
    """Delete what a server that was killed left on the disk: pictures that were promised not to stay."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            os.kill(int(folder.name.removeprefix(_PREFIX).split("-")[0]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, PermissionError):
            continue  # another's


def _saved(uploads: Sequence[BinaryIO], folder: Path) -> dict[str, Path]:
    """Write uploads into a folder; return what each is called, to where it lies. Of one name the first keeps it."""
    files: dict[str, Path] = {}
    for upload in uploads:
        path = Path(upload.name)
        name = next(
            name
            for number in range(1, len(uploads) + 1)
            if (name := path.name if number == 1 else f"{path.stem} ({number}){path.suffix}") not in files
        )
        # By number: a name from elsewhere may be longer than this disk takes.
        files[name] = folder / f"{len(files)}{path.suffix}"
        try:
            with files[name].open("wb") as file:
                upload.seek(0)  # it may have been read before
                shutil.copyfileobj(upload, file, 1 << 20)
        except OSError as error:
            raise MediaError(
                f"{name} cannot be kept while it is analysed: {error.strerror}. Make room on the disk of "
                "the computer that runs this page."
            ) from error
    return files


class _Gallery:
    """Keeps of each face the picture in which it was largest."""

    def __init__(self) -> None:
        self.portraits: dict[str, dict[int, str]] = {}
        self._sides: dict[tuple[str, int], float] = {}

    def add(self, name: str, image_bgr: np.ndarray, result: FrameResult) -> None:
        """Look at the faces of a frame."""
        kept = self.portraits.setdefault(name, {})
        for i, face in enumerate((result.track_id + 1).tolist()):  # as the table counts
            side = float(result.detections.xyxy[i, 2] - result.detections.xyxy[i, 0])
            # A little larger is not worth another picture.
            if side > 1.1 * self._sides.get((name, face), 0.0) and (face in kept or len(kept) < _MAX_PORTRAITS):
                self._sides[name, face] = side
                kept[face] = portrait(result, i, image_bgr)
