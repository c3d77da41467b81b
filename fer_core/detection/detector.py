"""What the rest of the package expects of a face detector."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from fer_core.types import Detections


class Detector(Protocol):
    """Finds faces. One detector serves any number of threads."""

    def detect(self, gray: np.ndarray) -> Detections:
        """Find the faces of a whole image, uint8 (h, w), one box for each, as thoroughly as possible."""
        ...

    def detect_fast(self, gray: np.ndarray, number: int) -> Detections:
        """Find faces of a whole image quickly; different numbers may look in different ways."""
        ...

    def detect_around(self, gray: np.ndarray, xyxy: np.ndarray) -> Detections:
        """Find faces around the place `xyxy` (4,) where one was in the frame before."""
        ...
