"""The background job of the page of pictures and videos: uploads in, a table, marked copies and portraits out.

Everything lies in the job's folder. The uploads are deleted when the job ends, the rest a while after
its owner has left the page.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.background.launch import plain_name
from fer_core.background.task import JobCancelled, JobContext, Task
from fer_core.errors import MediaError
from fer_core.files import read_json, remove_abandoned, write_json
from fer_core.media.analysis import Choices, analyze_files, copy_path
from fer_core.media.face_crops import FaceCropWriter
from fer_core.media.portraits import Moment, MomentGallery, PortraitGallery
from fer_core.media.sources import ARCHIVE, is_picture, unpack
from fer_core.recognition.provenance import metadata
from fer_core.recognition.table import read_table
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import FrameResult

KEPT_MIN = 10
_TABLE, _METADATA, _COPIES = "table.csv", "metadata.json", "copies"
_PORTRAITS, _MOMENTS, _FACES = "portraits.json", "moments.json", "faces.bin"


@dataclass(frozen=True)
class AnalyzeMedia(Task):
    """Find and score all faces of uploaded pictures and videos.

    Attributes:
        names: what the files are called in the table; as `unique_names` returns them.
        model: folder of the model.
        viewer: id of the browser tab; each analyses one batch at a time.
        every_s: seconds from one analysed frame of a video to the next; 0 analyses all.
        smoothing_s: time constant of the scores' exponential filter in seconds; 0 gives raw scores.
        label_set: what faces are scored for; the model's default if None.
        blur: whether faces are blurred in the copies.
        start_s: time of a video's first frame that is analysed, seconds.
        end_s: time at which a video's analysis stops, seconds; its end if None.
    """

    kind = "media"
    keep_s = KEPT_MIN * 60.0
    names: Sequence[str]
    model: str
    viewer: str
    every_s: float = 0.0
    smoothing_s: float = 0.0
    label_set: str | None = None
    blur: bool = False
    start_s: float = 0.0
    end_s: float | None = None

    @property
    def title(self) -> str:
        return f"Analysing {self.names[0] if len(self.names) == 1 else f'{len(self.names)} files'}"

    @property
    def key(self) -> str:
        return f"media-{self.viewer}"

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return the copies that were made, by name of the file; and whether the job was cancelled before its end."""
        remove_abandoned(Path(tempfile.gettempdir()), "fer-media-*", 3600.0)  # of earlier versions
        recognizer = EmotionRecognizer(Path(self.model), self.label_set)
        choices = Choices(
            self.every_s,
            self.smoothing_s,
            job.outputs / _COPIES,
            self.label_set,
            self.blur,
            self.start_s,
            math.inf if self.end_s is None else self.end_s,
        )
        try:
            files, errors = self._files(job.inputs)
            return _analyze(recognizer, files, errors, choices, job)
        except OSError as error:
            raise MediaError(
                f"Results cannot be written: {error.strerror or error}. Free some space on the disk of the computer "
                "that runs this page."
            ) from error

    def _files(self, inputs: Path) -> tuple[dict[str, Path], list[dict[str, Any]]]:
        """Return where each file is, those of archives too, and the archives that cannot be read, as outcomes."""
        files: dict[str, Path] = {}
        errors: list[dict[str, Any]] = []
        for number, name in enumerate(self.names):
            path = inputs / stored_name(number, name)
            if path.suffix.lower() != ARCHIVE:
                files[name] = path
                continue
            try:
                files |= unpack(path, name, inputs, f"{number}-")
            except MediaError as error:
                errors.append({"file": name, "frames": 0, "error": str(error)})
        return files, errors


def _analyze(
    recognizer: EmotionRecognizer,
    files: Mapping[str, Path],
    errors: list[dict[str, Any]],
    choices: Choices,
    job: JobContext,
) -> dict[str, Any]:
    gallery, cancelled = PortraitGallery(), False
    moments = MomentGallery(recognizer.uncertain_below)
    frames = dict.fromkeys(files, 0)

    def watch(name: str, image_bgr: np.ndarray, result: FrameResult) -> None:
        frames[name] += 1
        crops.add(image_bgr, result)
        gallery.add(name, image_bgr, result)
        if not is_picture(files[name]):
            moments.add(name, image_bgr, result)

    with (
        (job.outputs / _TABLE).open("w", encoding="utf-8", newline="") as table,
        (job.outputs / _FACES).open("wb") as faces,
    ):
        crops = FaceCropWriter(faces)
        try:
            analyzed = analyze_files(recognizer, files, table, choices, job.progress, watch)
        except JobCancelled:
            job.finish_up()
            cancelled, analyzed = True, [{"file": name, "frames": count} for name, count in frames.items()]
    details = metadata(recognizer.card, choices.label_set, **choices.metadata(), files=errors + analyzed)
    write_json(job.outputs / _METADATA, details)
    write_json(job.outputs / _PORTRAITS, gallery.portraits)
    write_json(
        job.outputs / _MOMENTS,
        {name: [asdict(moment) for moment in each.values()] for name, each in moments.moments.items()},
    )
    assert choices.annotated is not None
    copies = {name: copy_path(path, choices.annotated) for name, path in files.items()}
    return {"cancelled": cancelled, "copies": {name: path.name for name, path in copies.items() if path.exists()}}


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the names of uploads, each different: the first of a name keeps it, the others get a number.

    >>> unique_names(["a.png", "../a.png"])
    ['a.png', 'a (2).png']
    """
    unique: list[str] = []
    for path in map(Path, names):
        numbered = (path.name if number == 1 else f"{path.stem} ({number}){path.suffix}" for number in range(1, 10_000))
        unique.append(next(name for name in numbered if name not in unique))
    return unique


def stored_name(number: int, name: str) -> str:
    """Return what the file of an upload is called in the job's folder: a name from elsewhere may fit no disk."""
    return plain_name(f"{number}{Path(name).suffix}")


@dataclass(frozen=True, eq=False)
class MediaResult:
    """What was found in some files.

    Attributes:
        csv: the table as a file.
        rows: the same as a data frame.
        metadata: everything needed to reproduce it.
        copies: by name of a file, its copy with faces marked: PNG, or MP4 of a video.
        portraits: by name of a file and number of a face, its picture as a data URL.
        moments: by name of a video, when each expression was strongest in it, as they came.
        faces: the faces of the rows, for `read_face`; None where an earlier version kept none.
        cancelled: whether the job was cancelled before its end.
    """

    csv: bytes
    rows: pd.DataFrame
    metadata: Mapping[str, Any]
    copies: Mapping[str, Path]
    portraits: Mapping[str, Mapping[int, str]]
    moments: Mapping[str, Sequence[Moment]]
    faces: Path | None
    cancelled: bool


def read_media_result(outputs: Path, result: Mapping[str, Any]) -> MediaResult:
    """Read what a finished job of `AnalyzeMedia` left.

    Args:
        outputs: folder of the job's output.
        result: of the job.

    Raises:
        MediaError: its files are gone or damaged.
    """
    try:
        csv = (outputs / _TABLE).read_bytes()
        portraits = read_json(outputs / _PORTRAITS)
        return MediaResult(
            csv=csv,
            rows=read_table(csv),
            metadata=read_json(outputs / _METADATA),
            copies={name: outputs / _COPIES / file for name, file in result["copies"].items()},
            portraits={name: {int(face): url for face, url in faces.items()} for name, faces in portraits.items()},
            moments=_read_moments(outputs / _MOMENTS),
            faces=outputs / _FACES if (outputs / _FACES).exists() else None,
            cancelled=result["cancelled"],
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise MediaError(f"The results are gone or damaged ({error}). Analyse the files again.") from error


def _read_moments(path: Path) -> dict[str, list[Moment]]:
    if not path.exists():  # of an earlier version
        return {}
    moments = {name: [Moment(**moment) for moment in each] for name, each in read_json(path).items()}
    return {name: sorted(each, key=lambda moment: moment.time_s) for name, each in moments.items()}
