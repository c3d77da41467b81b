"""Faces as a NumPy file."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from fer_core.errors import DataError

_EXPECTED = "Expected a file that numpy.save wrote, with gray faces as uint8 (n, 48, 48), n at least 1"


def read_faces(path: Path) -> np.ndarray:
    """Read faces, uint8 (n, 48, 48) gray, from a .npy file.

    Raises:
        DataError: the file cannot be read or holds something else.
    """
    try:
        faces = np.load(path, allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {_EXPECTED}.") from error
    except (ValueError, EOFError, BadZipFile) as error:
        raise DataError(f"{path} is not a file of NumPy. {_EXPECTED}.") from error
    if not isinstance(faces, np.ndarray) or faces.dtype != np.uint8 or faces.shape[1:] != (48, 48) or not len(faces):
        content = f"{faces.dtype} {faces.shape}" if isinstance(faces, np.ndarray) else "several arrays"
        raise DataError(f"{path} holds {content}. {_EXPECTED}.")
    return faces
