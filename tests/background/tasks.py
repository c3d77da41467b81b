"""Tasks for the tests of jobs: each runs in a process of its own, as those of the package do."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from fer_core.background.task import JobCancelled, Task
from fer_core.errors import DataError


@dataclass(frozen=True)
class Work(Task):
    """Does what `way` says; `mark` is a file that tells the test how far it came."""

    kind = "work"
    way: str
    mark: str = ""

    @property
    def title(self):
        return f"Working: {self.way}"

    def run(self, job):
        return getattr(self, f"_{self.way}")(job)

    def _finish(self, job):
        job.progress(1, 4, "Half way")
        (job.outputs / "made.txt").write_text("made")
        return {"uploads": {path.name: path.read_text() for path in sorted(job.inputs.glob("*"))}}

    def _fail(self, job):
        raise DataError("row 3 is wrong")

    def _break(self, job):
        raise ZeroDivisionError("a bug")

    def _no_memory(self, job):
        raise MemoryError

    def _full_disk(self, job):
        raise OSError(28, "No space left on device")

    def _killed(self, job):
        os.kill(os.getpid(), signal.SIGKILL)

    def _crash(self, job):
        os.kill(os.getpid(), signal.SIGSEGV)

    def _report(self, job):
        try:
            while True:
                job.progress(1, 10, "On and on")
                Path(self.mark).touch()
                time.sleep(0.01)
        except JobCancelled:
            Path(self.mark).write_text("cleaned up")
            raise

    def _silent(self, job):
        Path(self.mark).touch()
        while True:
            time.sleep(0.01)


@dataclass(frozen=True)
class Other(Work):
    kind = "other"
