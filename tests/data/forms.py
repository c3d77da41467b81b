"""Writes faces in the forms that people have FER-2013 in."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from fer_core.data.face_set import SPLITS, VOTE_COLUMNS, FaceSet
from fer_core.emotions import CSV_TO_INDEX, LABELS

FAMILIES = {
    "kaggle": ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
    "original": LABELS,
    "nouns": ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
    "capitals": ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"),
}
# The vote column that means each label, in the order of LABELS.
_VOTE_COLUMN = [VOTE_COLUMNS.index(name) for name in FAMILIES["nouns"]]


def csv_table(faces: FaceSet, columns: Sequence[str] = ("emotion", "pixels", "Usage"), line_end: str = "\n") -> bytes:
    """Return a table of `faces`; column names are written as they are, the fields found by their plain names."""
    lines = [",".join(columns)]
    for image, label, split in zip(faces.images, faces.labels, faces.split, strict=True):
        fields = {
            "emotion": str(CSV_TO_INDEX.index(label)),
            "pixels": " ".join(map(str, image.ravel())),
            "usage": SPLITS[split],
        }
        lines.append(",".join(fields[column.strip().lower()] for column in columns))
    return (line_end.join(lines) + line_end).encode()


def votes_table(faces: FaceSet, order: Sequence[int] | None = None) -> bytes:
    """Return seven votes for each label and three for unknown; the numbers in names count backwards on purpose."""
    lines = ["Usage,Image name," + ",".join(VOTE_COLUMNS)]
    for row in range(len(faces)) if order is None else order:
        votes = [0] * len(VOTE_COLUMNS)
        votes[_VOTE_COLUMN[faces.labels[row]]], votes[VOTE_COLUMNS.index("unknown")] = 7, 3
        lines.append(f"{SPLITS[faces.split[row]]},fer{len(faces) - row:07d}.png," + ",".join(map(str, votes)))
    return ("\n".join(lines) + "\n").encode()


def tree(
    faces: FaceSet, names: Sequence[str] = FAMILIES["kaggle"], suffix: str = ".png", top: str = ""
) -> dict[str, bytes]:
    """Return the files of a folder tree, content by path; numbers follow the row order."""
    files = {}
    for row, (image, label, split) in enumerate(zip(faces.images, faces.labels, faces.split, strict=True)):
        folder = "train" if split == 0 else "test"
        files[f"{top}{folder}/{names[label]}/im{row}{suffix}"] = encoded(image, suffix)
    return files


def encoded(image: np.ndarray, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], compression: str = "") -> bytes:
    """Return a tar; `compression` is "", "gz", "xz" or "bz2"."""
    buffer = io.BytesIO()
    level = {"gz": {"compresslevel": 1}, "xz": {"preset": 0}, "bz2": {"compresslevel": 1}}.get(compression, {})
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}", **level) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


PACKERS = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda files: tarred(files, "gz"),
    "tar.xz": lambda files: tarred(files, "xz"),
    "tar.bz2": lambda files: tarred(files, "bz2"),
}
COMPRESSORS = {
    "plain": bytes,
    "gz": lambda content: gzip.compress(content, 1),
    "xz": lambda content: lzma.compress(content, preset=0),
    "bz2": lambda content: bz2.compress(content, 1),
}
