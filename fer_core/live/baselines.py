"""The neutral baselines of one viewer's faces: made while a face looks neutral, kept while it is followed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fer_core.detection.boxes import SAME_FACE, box_ios
from fer_core.recognition.baseline import Baseline
from fer_core.types import FrameResult

COLLECT_S = 3.0
# A face that was out of sight for longer is forgotten; one that comes back to the same place before is the same.
FORGET_S = 2.0
# A frame counts for at most so much time, so that a stream that stalls does not make a baseline of a few frames.
_LONGEST_FRAME_S = 0.3


@dataclass(frozen=True, eq=False)
class Collecting:
    """The progress of a baseline that is being made.

    Attributes:
        track_id: the face's number.
        remaining_s: seconds in sight that are still needed.
        frames: how many were collected.
        problem: why the latest frame was left out, such as "blurred" or "out of sight"; empty if it was not.
    """

    track_id: int
    remaining_s: float
    frames: int
    problem: str = ""


@dataclass(frozen=True, eq=False)
class BaselineState:
    """The baselines of a stream at one instant.

    Attributes:
        baselines: by the face's track number.
        collecting: the one that is being made, None if none is.
        lost: number of the face that was lost while its baseline was being made, None if none was since.
        began_s: when the stream began, on the clock of the baselines' times.
    """

    baselines: Mapping[int, Baseline]
    collecting: Collecting | None
    lost: int | None
    began_s: float


@dataclass(slots=True, eq=False)
class _Collection:
    """Frames of one face, as they come."""

    track_id: int
    then: Callable[[Baseline], None] | None = None
    probs: list[np.ndarray] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    collected_s: float = 0.0
    before_s: float | None = None
    problem: str = ""

    def add(self, result: FrameResult) -> None:
        """Take in the next frame; one in which the face is not valid is left out."""
        before_s, self.before_s = self.before_s, result.time_s
        rows = np.flatnonzero(result.track_id == self.track_id)
        if not len(rows):
            self.problem = "out of sight"
            return
        row = int(rows[0])
        self.problem = "" if result.quality is None else ", ".join(result.quality.problems[row])
        if self.problem:
            return
        self.probs.append(result.prediction.probs[row])
        self.times_s.append(result.time_s)
        if before_s is not None:
            self.collected_s += min(result.time_s - before_s, _LONGEST_FRAME_S)

    @property
    def progress(self) -> Collecting:
        remaining_s = max(COLLECT_S - self.collected_s, 0.0)
        return Collecting(self.track_id, remaining_s, len(self.probs), self.problem)


@dataclass(slots=True, eq=False)
class _Sighting:
    """When a face was last seen and where, None if it never was, and the highest number that any face had by then."""

    time_s: float
    xyxy: np.ndarray | None
    highest: int


class BaselineKeeper:
    """Makes and keeps the baselines of one stream's faces. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Baseline | None = None
        self.reset(0.0)

    def reset(self, began_s: float) -> None:
        """Forget everything: another stream begins, at `began_s` on the clock of its results."""
        with self._lock:
            self._began_s = began_s
            self._baselines: dict[int, Baseline] = {}
            self._sightings: dict[int, _Sighting] = {}
            self._collection: _Collection | None = None
            self._lost: int | None = None
            self._declined = False

    @property
    def current(self) -> Mapping[int, Baseline]:
        """The baselines by track number; the mapping is never changed, but replaced by another."""
        return self._baselines

    @property
    def state(self) -> BaselineState:
        """What there is now."""
        with self._lock:
            collecting = self._collection.progress if self._collection else None
            return BaselineState(self._baselines, collecting, self._lost, self._began_s)

    def start(self, track_id: int, then: Callable[[Baseline], None] | None = None) -> None:
        """Make a baseline of a face's next three seconds in sight; one that it has holds until then.

        Args:
            track_id: the face's number.
            then: called with it when it is made, in a thread of its own.
        """
        with self._lock:
            self._collection, self._lost = _Collection(track_id, then), None

    def offer(self, kept: Baseline | None) -> None:
        """Let a baseline of an earlier session hold for whoever is alone in the picture; None for no further one.

        What was offered before no longer holds. A face whose baseline is set or cleared here keeps that.
        """
        with self._lock:
            if kept is self._kept:
                return
            self._baselines = {face: each for face, each in self._baselines.items() if each is not self._kept}
            self._kept, self._declined = kept, False

    def cancel(self) -> None:
        """Stop making a baseline."""
        with self._lock:
            self._collection = None

    def clear(self, track_id: int) -> None:
        """Forget the baseline of a face."""
        with self._lock:
            self._declined |= self._baselines.get(track_id) is self._kept
            self._drop(track_id)

    def add(self, result: FrameResult) -> None:
        """Take in the stream's next frame."""
        with self._lock:
            collection = self._collection
            self._use_kept(result)
            for track_id in {*self._baselines, *([collection.track_id] if collection else [])}:
                self._follow(track_id, result)
            if self._collection:
                self._collection.add(result)
                if self._collection.collected_s >= COLLECT_S:
                    self._finish(self._collection, result)

    def _use_kept(self, result: FrameResult) -> None:
        """Give the kept baseline to the only face in the picture, unless some face has one."""
        if self._kept and not self._declined and not self._baselines and len(result) == 1:
            self._baselines = {int(result.track_id[0]): self._kept}

    def _follow(self, track_id: int, result: FrameResult) -> None:
        """Note where a face is; if it has left, find it under another number or, after a while, forget it."""
        ids = result.track_id.tolist()
        if track_id in ids:
            xyxy = result.detections.xyxy[ids.index(track_id)]
            self._sightings[track_id] = _Sighting(result.time_s, xyxy, max(ids))
            return
        last = self._sightings.setdefault(track_id, _Sighting(result.time_s, None, track_id))
        if result.time_s - last.time_s > FORGET_S:
            self._forget(track_id)
        elif (other := _successor(last, result)) is not None:
            self._rename(track_id, other)

    def _forget(self, track_id: int) -> None:
        self._drop(track_id)
        if self._collection and self._collection.track_id == track_id:
            self._collection, self._lost = None, track_id

    def _rename(self, track_id: int, other: int) -> None:
        baseline = self._baselines.get(track_id)
        self._drop(track_id)
        if baseline:
            self._baselines = {**self._baselines, other: baseline}
        if self._collection and self._collection.track_id == track_id:
            self._collection.track_id = other

    def _drop(self, track_id: int) -> None:
        self._sightings.pop(track_id, None)
        self._baselines = {face: baseline for face, baseline in self._baselines.items() if face != track_id}

    def _finish(self, collection: _Collection, result: FrameResult) -> None:
        baseline = Baseline.of_frames(np.stack(collection.probs), result.prediction.labels, collection.times_s)
        self._baselines = {**self._baselines, collection.track_id: baseline}
        self._collection = None
        if collection.then:  # it may write, and the video must not wait
            threading.Thread(target=collection.then, args=(baseline,), name="neutral baseline", daemon=True).start()


def _successor(last: _Sighting, result: FrameResult) -> int | None:
    """Return the number of a face that is new and lies where another was last; None if there is none."""
    if last.xyxy is None or not len(result):
        return None
    overlap = box_ios(last.xyxy, result.detections.xyxy)
    same = (result.track_id > last.highest) & (overlap >= SAME_FACE)
    return int(result.track_id[same][0]) if same.any() else None
