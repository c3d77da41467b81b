"""What is still to be done for the files of an archive: which steps may be taken now, and what follows from each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fer_core.archive.parts import Work
from fer_core.archive.remote import place_of
from fer_core.archive.source import FAILED, Entry
from fer_core.archive.tasks import NotSplit, Outcome, SegmentDone, SplitFound, Task, remove_segments


class Progress:
    """Hands out the steps of an analysis, and takes what came of them. Not thread-safe."""

    def __init__(self, work: Work, waiting: Sequence[Entry]) -> None:
        """Args:
        work: how the files are analysed.
        waiting: their entries, in the order in which they are begun.
        """
        self._work = work
        self._entries = {entry.file: entry for entry in waiting}
        self._next = [Task(entry.file, place_of(entry.file)) for entry in reversed(waiting)]
        self._missing: dict[str, int] = {}  # how many segments

    def __bool__(self) -> bool:
        """Whether there is a step to take now."""
        return bool(self._next)

    def take(self) -> Task:
        """Return the next step."""
        return self._next.pop()

    def put_back(self, task: Task) -> None:
        """Have a step taken again, unless its file has no more use for it."""
        if task.part is None or task.file in self._missing:
            self._next.append(task)

    def record(self, task: Task, outcome: Outcome) -> Entry | None:
        """Note what came of a step, and return the file's new entry for the manifest; None if it has none."""
        if isinstance(outcome, Entry):
            return self._finish(outcome)
        if isinstance(outcome, SplitFound):
            return self._begin_segments(task, outcome)
        if task.file not in self._missing:  # it has failed, or is analysed at once now
            return None
        if isinstance(outcome, NotSplit):
            self._drop(task.file)
            remove_segments(self._work, task.file)
            self._next.append(Task(task.file, task.place, whole_because=outcome.reason))
            return None
        return self._count_segment(task, outcome)

    def fail(self, task: Task, reason: str) -> Entry | None:
        """Note that a step cannot be taken, and return the file's new entry; None if it has failed before."""
        if task.part is not None and task.file not in self._missing:
            return None
        return self._finish(dataclasses.replace(self._entries[task.file], state=FAILED, reason=reason))

    def _finish(self, entry: Entry) -> Entry:
        self._drop(entry.file)
        return entry

    def _drop(self, file: str) -> None:
        """Leave out all further steps of a file."""
        if self._missing.pop(file, None):
            self._next = [task for task in self._next if task.file != file]

    def _begin_segments(self, task: Task, found: SplitFound) -> Entry:
        count, self._missing[task.file] = len(found.split.parts), len(found.missing)
        steps = dataclasses.replace(task, split=found.split, signature=found.signature)
        self._next += [dataclasses.replace(steps, part=part) for part in reversed(found.missing)]
        if not found.missing:
            self._next.append(steps)
        return self._update(task.file, segments=count, segments_done=count - len(found.missing))

    def _count_segment(self, task: Task, _: SegmentDone) -> Entry:
        self._missing[task.file] -= 1
        if not self._missing[task.file]:
            self._next.append(dataclasses.replace(task, part=None))
        return self._update(task.file, segments_done=self._entries[task.file].segments_done + 1)

    def _update(self, file: str, **changes: int) -> Entry:
        self._entries[file] = dataclasses.replace(self._entries[file], **changes)
        return self._entries[file]
