"""How long a network takes for one face, measured as the app calls it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np


def ms_per_face(classify: Callable[[np.ndarray], object], faces: np.ndarray, calls: int = 100) -> float:
    """Return the median time of one call with one face, in milliseconds.

    Args:
        classify: takes uint8 (1, 48, 48).
        faces: uint8 (n, 48, 48), used in turn.
        calls: number of calls.
    """
    times_s = []
    for call in range(calls):
        face = faces[call % len(faces)][None]
        began_s = time.perf_counter()
        classify(face)
        times_s.append(time.perf_counter() - began_s)
    return round(float(np.median(times_s)) * 1000, 3)
