"""The last minute as arrays, one table per face, ready to be drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from fer_core.live.telemetry import HISTORY_S, Moment


def face_series(
    moments: Sequence[Moment], now_s: float, labels: int, faces: int
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return the scores of the faces seen most in `moments`.

    Args:
        moments: oldest first.
        now_s: the present, seconds on the moments' clock.
        labels: number of scores of a face.
        faces: how many faces to return at most.

    Returns:
        Track number to (ago_s float (n,), probs float (n, labels)), by track number; a row is NaN
        where the face was not there.
    """
    recent = [moment for moment in moments if now_s - moment.time_s <= HISTORY_S]
    seen = Counter(track for moment in recent for track in moment.probs)
    chosen = sorted(track for track, _ in seen.most_common(faces))
    ago_s = np.array([now_s - moment.time_s for moment in recent])
    absent = np.full(labels, np.nan)
    return {track: (ago_s, np.array([moment.probs.get(track, absent) for moment in recent])) for track in chosen}
