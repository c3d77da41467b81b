"""A background job that writes a cleaned data set to a folder of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_core.audit.cleaned import write_cleaned
from fer_core.audit.corrections_file import read_corrections
from fer_core.background.task import JobContext, Task
from fer_core.data.store import open_store


@dataclass(frozen=True)
class WriteCleaned(Task):
    """Write a data set with its corrections applied, and its data card.

    Attributes:
        data: name of the data set.
        folder: to write, new or empty.
        form: "csv" or "folders".
    """

    kind = "clean"
    data: str
    folder: str
    form: str

    @property
    def title(self) -> str:
        return f"Writing {self.data}, cleaned"

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return the folder and the number of faces before and after."""
        faces = open_store(self.data)
        corrections = read_corrections(self.data, faces.hash, len(faces))
        card = write_cleaned(
            self.data, faces, corrections, Path(self.folder), self.form, datetime.now(UTC), job.progress
        )
        return {"folder": self.folder, **card["faces"]}
