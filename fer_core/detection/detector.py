"""What the rest of the package expects of a face detector."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from fer_core.types import Detections


class Detector(Protocol):
    """Finds faces. One detector serves any number of threads."""

    def detect(self, gray: np.ndarray) -> Detections:
        """Find the faces of a picture of any size, uint8 (h, w), one box for each, as thoroughly as possible."""
        ...

    def detect_frame(self, gray: np.ndarray, number: int | None = None) -> Detections:
        """Find faces of a stream's frame: thoroughly, or quickly in one of several ways, by number."""
        ...

    def detect_around(self, gray: np.ndarray, xyxy: np.ndarray) -> Detections:
        """Find faces around the place `xyxy` (4,) where one was in the frame before."""
        ...
