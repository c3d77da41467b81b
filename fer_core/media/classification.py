"""Cropped faces from files, without looking for faces in them, and their scores as a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from fer_core.data.face_arrays import read_faces
from fer_core.errors import FerError, MediaError
from fer_core.imaging.images import read_image
from fer_core.media.sources import PICTURES
from fer_core.recognition.crop import crop_faces, to_gray
from fer_core.recognizer import EmotionRecognizer

ARRAYS = ".npy"


def find_faces(paths: Sequence[Path]) -> list[Path]:
    """Return the files, and in place of each folder the pictures and .npy files in it, by name.

    Raises:
        MediaError: a file does not exist or is of another kind, or a folder holds none.
    """
    suffixes = (*PICTURES, ARRAYS)
    files: list[Path] = []
    for path in paths:
        inside = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        faces = [file for file in inside if file.suffix.lower() in suffixes]
        if not faces:
            raise MediaError(
                f"Expected faces in files that end in {', '.join(suffixes)}, or a folder of them; got {path}."
            )
        files += faces
    return list(dict.fromkeys(files))


def classify_files(
    recognizer: EmotionRecognizer,
    files: Sequence[Path],
    out: TextIO,
    report: Callable[[float, float], None] = lambda *_: None,
) -> list[dict[str, Any]]:
    """Score cropped faces and write a row for each.

    A row holds the file, the number of the face in it, from 1, the expression, whether it is uncertain, which is
    whether the best score is below the model's own threshold, and the scores.

    Args:
        recognizer: the model.
        files: pictures that each show one face, and .npy files of uint8 (n, 48, 48) gray.
        out: gets the table as CSV.
        report: called with how many files are done, and how many there are.

    Returns:
        Of each file its name `file`, the number of `faces`, and an `error` where it could not be read.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "face", "expression", "uncertain", *recognizer.labels])
    outcomes: list[dict[str, Any]] = []
    for number, path in enumerate(files):
        report(number, len(files))
        try:
            faces = faces_of(path)
        except FerError as error:
            outcomes.append({"file": str(path), "faces": 0, "error": str(error)})
            continue
        _write_rows(writer, path, recognizer, faces)
        outcomes.append({"file": str(path), "faces": len(faces)})
    return outcomes


def faces_of(path: Path) -> np.ndarray:
    """Return the faces of a file, uint8 (n, 48, 48) gray; a picture is one face and is resized as a square.

    Raises:
        DataError: a .npy file holds something else.
        MediaError: a picture cannot be read.
    """
    if path.suffix.lower() == ARRAYS:
        return read_faces(path)
    gray = to_gray(read_image(path))
    height, width = gray.shape
    return crop_faces(gray, np.array([[0, 0, width, height]], np.float32))


def _write_rows(writer: Any, path: Path, recognizer: EmotionRecognizer, faces: np.ndarray) -> None:
    threshold = recognizer.card.uncertain_below or 0.0
    for number, scores in enumerate(recognizer.classify(faces), 1):
        expression = recognizer.labels[int(scores.argmax())]
        uncertain = "yes" if scores.max() < threshold else "no"
        writer.writerow([path, number, expression, uncertain, *(f"{score:.4f}" for score in scores)])
