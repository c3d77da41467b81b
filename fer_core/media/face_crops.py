"""The faces of a table as the network got them: one after the other in a file, in the order of the table's rows."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from fer_core.errors import MediaError
from fer_core.face_size import FACE_SIZE
from fer_core.recognition.crop import crop_faces, to_gray
from fer_core.types import FrameResult

# 460 MB: one face in 25 frames a second for two hours.
MAX_FACES = 200_000
_BYTES = FACE_SIZE * FACE_SIZE


class FaceCropWriter:
    """Writes faces as they are found, the first `MAX_FACES` of them.

    Args:
        file: open for writing bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._free = file, MAX_FACES

    def add(self, image_bgr: np.ndarray, result: FrameResult) -> None:
        """Write the faces of a frame, uint8 (h, w, 3)."""
        if not len(result) or not self._free:
            return
        faces = crop_faces(to_gray(image_bgr), result.detections.xyxy)[: self._free]
        self._file.write(faces.tobytes())
        self._free -= len(faces)


def read_face(path: Path, rows: pd.DataFrame, row: int) -> np.ndarray:
    """Return the face of a row of a table as the network got it, uint8 (48, 48).

    Args:
        path: what a `FaceCropWriter` wrote.
        rows: all rows of the table.
        row: index of the row, which holds a face.

    Raises:
        MediaError: this face was not kept, or the file is gone.
    """
    position = int(rows["face"].loc[:row].notna().sum()) - 1
    try:
        pixels = np.fromfile(path, np.uint8, _BYTES, offset=position * _BYTES)
    except OSError as error:
        raise MediaError(f"The faces are gone ({error.strerror}). Analyse the files again.") from error
    if len(pixels) < _BYTES:
        raise MediaError(
            f"Only the first {MAX_FACES:,} faces are kept for a closer look; this is number {position + 1:,}. "
            "Analyse a part of the video, or fewer frames a second."
        )
    return pixels.reshape(FACE_SIZE, FACE_SIZE)
