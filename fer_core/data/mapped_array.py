"""Arrays that stay on disk, and whose file may be damaged while they are open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fer_core.errors import DataError


class MappedArray(np.memmap):
    """A read-only memory-mapped array that checks its file's size before each access.

    Touching a page of a file that was cut short meanwhile would end the whole process (SIGBUS).
    """

    def __getitem__(self, index: Any) -> Any:
        """Return what numpy returns; a plain array where that is a copy.

        Raises:
            DataError: the file is shorter than it was when it was opened.
        """
        if self._mmap is not None and self._mmap.size() < len(self._mmap):
            raise DataError(
                f"{self.filename} was cut short while it was in use. Delete the data set and read its source again."
            )
        result = super().__getitem__(index)
        return result.view(np.ndarray) if isinstance(result, np.memmap) and result._mmap is None else result


def map_array(path: Path) -> MappedArray:
    """Open the .npy file at `path` without reading its content.

    Raises:
        ValueError: it is not such a file, or shorter than its header says.
        OSError: it cannot be read.
    """
    return np.load(path, mmap_mode="r").view(MappedArray)
