"""How steady labels are from frame to frame, and what steadier ones cost in delay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fer_core.types import FrameResult


@dataclass(frozen=True)
class Steadiness:
    """Changes of label over the faces of a stream.

    Attributes:
        changes: how often the label shown for a face differs from the one in its frame before.
        face_s: for how long faces were in sight, summed over faces, in seconds.
    """

    changes: int
    face_s: float

    @property
    def changes_per_min(self) -> float:
        """Changes a minute of a face in sight; not a number if there was none."""
        return 60 * self.changes / self.face_s if self.face_s else math.nan


def measure_steadiness(results: Iterable[FrameResult]) -> Steadiness:
    """Count how often the label shown for each face changes: its best one, unless the stream holds another.

    Args:
        results: of successive frames; a face that was out of sight goes on where it left off, its absence not counted.
    """
    changes, face_s = 0, 0.0
    last: dict[int, int | None] = {}
    seen: dict[int, FrameResult] = {}
    before: FrameResult | None = None
    for result in results:
        for track_id, label in zip(result.track_id.tolist(), result.labels_to_show(), strict=True):
            changes += last.get(track_id, label) != label
            if before is not None and seen.get(track_id) is before:
                face_s += result.time_s - before.time_s
            last[track_id], seen[track_id] = label, result
        before = result
    return Steadiness(changes, face_s)


def delay_s(smoothing_s: float) -> float:
    """Return after how many seconds half of a sudden change is seen through a filter with this time constant."""
    return smoothing_s * math.log(2)
