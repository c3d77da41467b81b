"""Background jobs that bring a data set in or change one; each takes the first look, so that opening it is quick.

They share one key: of jobs that write data sets one runs at a time, on this machine's home folder.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.audit.first_look import first_look
from fer_core.audit.hold_out import hold_out_splits
from fer_core.background.task import JobContext, Task
from fer_core.data.importing import add_votes, import_demo, import_faces, import_from_kaggle
from fer_core.data.store import open_store

KIND = "data"
DEMO_FACES = 2000


class _DataTask(Task):
    """Writes a store and looks at it."""

    kind = KIND

    @abstractmethod
    def write(self, job: JobContext) -> str:
        """Write the store and return its name."""

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return the name of the store as `store`."""
        store = self.write(job)
        job.progress(0, 0, "first look")
        first_look(open_store(store))
        return {"store": store}


@dataclass(frozen=True)
class ImportPath(_DataTask):
    """Read a table, folder or archive.

    Attributes:
        source: its path on this machine.
        name: what to call the data set; empty takes the source's.
        votes: path of a table of FER+ votes to join; may be empty.
        classes: what folders that name no emotion are, one of `CLASS_CHOICES`.
    """

    source: str
    name: str = ""
    votes: str = ""
    classes: str = "auto"

    @property
    def title(self) -> str:
        return f"Reading {Path(self.source).name}"

    def write(self, job: JobContext) -> str:
        votes = Path(self.votes) if self.votes else None
        return import_faces(Path(self.source), self.name, job.progress, self.classes, votes=votes)


@dataclass(frozen=True)
class ImportUpload(_DataTask):
    """Read a file that was uploaded.

    Attributes:
        file: its name in the job's input folder.
        name: what to call the data set; empty takes the file's.
        votes: name there of a table of FER+ votes to join; may be empty.
        classes: what folders that name no emotion are, one of `CLASS_CHOICES`.
    """

    file: str
    name: str = ""
    votes: str = ""
    classes: str = "auto"

    @property
    def title(self) -> str:
        return f"Reading {self.file}"

    def write(self, job: JobContext) -> str:
        votes = job.inputs / self.votes if self.votes else None
        return import_faces(job.inputs / self.file, self.name, job.progress, self.classes, votes=votes)


@dataclass(frozen=True)
class ImportKaggle(_DataTask):
    """Download and read a data set from Kaggle.

    Attributes:
        dataset: "owner/name".
        name: what to call it; empty takes its own.
        classes: what folders that name no emotion are, one of `CLASS_CHOICES`.
    """

    dataset: str
    name: str = ""
    classes: str = "auto"

    @property
    def title(self) -> str:
        return f"Downloading {self.dataset}"

    def write(self, job: JobContext) -> str:
        return import_from_kaggle(self.dataset, self.name, job.progress, self.classes)


@dataclass(frozen=True)
class ImportDemo(_DataTask):
    """Draw the demo set.

    Attributes:
        count: number of faces.
    """

    count: int = DEMO_FACES

    @property
    def title(self) -> str:
        return f"Drawing {self.count:,} faces"

    def write(self, job: JobContext) -> str:
        return import_demo(self.count)


@dataclass(frozen=True)
class AddVotes(_DataTask):
    """Join FER+ votes to a data set.

    Attributes:
        store: name of the data set.
        table: path of the votes on this machine, or the name of an uploaded file.
        uploaded: whether it was uploaded.
    """

    store: str
    table: str
    uploaded: bool = False

    @property
    def title(self) -> str:
        return f"Joining votes to {self.store}"

    def write(self, job: JobContext) -> str:
        return add_votes(self.store, job.inputs / self.table if self.uploaded else Path(self.table))


@dataclass(frozen=True)
class HoldOutSplits(_DataTask):
    """Copy a data set with a tenth of its training images for each split that it lacks, Validation or Test.

    Attributes:
        store: name of the data set.
    """

    store: str

    @property
    def title(self) -> str:
        return f"Splitting {self.store}"

    def write(self, job: JobContext) -> str:
        return hold_out_splits(self.store, lambda share: job.progress(share, 1.0, "comparing every face"))
