"""What the rest of the package expects of a face detector."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from fer_core.detection.proposals import Area, Half
from fer_core.types import Detections


class Detector(Protocol):
    """Finds faces. One detector serves any number of threads."""

    def detect(self, gray: np.ndarray) -> Detections:
        """Find the faces of a picture of any size, uint8 (h, w), one box for each, as thoroughly as possible."""
        ...

    def propose(self, gray: np.ndarray, area: Area | None = None, half: Half = None) -> Detections:
        """Return the places of a stream's frame, or of a part of it, that may be a face, the likeliest first."""
        ...

    def confirm(self, gray: np.ndarray, places: Detections) -> Detections:
        """Return the faces that are at such places, in that frame or one soon after it."""
        ...

    def detect_around(self, gray: np.ndarray, xyxy: np.ndarray) -> Detections:
        """Find faces around the place `xyxy` (4,) where one was in the frame before."""
        ...
