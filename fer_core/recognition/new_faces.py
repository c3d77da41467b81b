"""Finding the new faces of a stream without keeping a frame waiting.

A frame is searched for places that may be a face, and these are looked at closely: all at once where nothing is known
yet or somebody went out of sight, else in small pieces, one a frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fer_core.detection.boxes import SAME_FACE, box_ios, join
from fer_core.detection.detector import Detector
from fer_core.detection.proposals import Area
from fer_core.recognition.search_plan import SearchPlan
from fer_core.types import Detections

_THOROUGH_SEARCH_S = 0.1  # how often a thorough stream is searched while a face is missing, or none is known
_THOROUGH_RESCAN_S = 0.25  # how often while all known faces are in sight
_LOOKS = 2  # so many places are looked at closely in a frame,
_LOOKS_BESIDE = 1  # where known faces had to be looked for in it as well
_DELAY_S = 0.1  # by so much a search may wait for a frame in which no known face has to be looked for
_OTHER_SIZE = 1.4  # ratio of sides from which a place on a known face may be the face, and what is known a part of it


class NewFaces:
    """The search for new faces in one stream.

    Args:
        detector: proposes places and looks at them closely.
        thorough: whether whole frames are searched at fixed intervals, each in one go.
    """

    def __init__(self, detector: Detector, thorough: bool) -> None:
        self._detector = detector
        self._thorough = thorough
        self._plan = SearchPlan()
        self.reset()

    def reset(self) -> None:
        """Begin anew: the next frame is searched."""
        self._plan.reset()
        self._searched_s = -math.inf
        self._half_searched: Area | None = None
        self._places = Detections.empty()

    def find(
        self,
        gray: np.ndarray,
        time_s: float,
        known: Sequence[np.ndarray],
        seen: np.ndarray,
        missing: bool,
        looked_for: bool,
    ) -> Detections:
        """Return the new faces that are found in the next frame.

        Args:
            gray: uint8 (h, w).
            time_s: when, in seconds.
            known: where known faces were last: xyxy each.
            seen: (n, 4), where those of them are that were found in this frame.
            missing: whether one of them was not, or none is known.
            looked_for: whether the detector had to look for one of them.
        """
        if self._thorough or missing:
            if area := self._next_area(gray, time_s, known, missing):
                self._places, self._half_searched = self._detector.propose(gray, area), None
            return self._look(gray, len(self._places))
        if area := self._half_searched:
            places = join([self._places, self._detector.propose(gray, area, "large")])
            likeliest_first = places[np.argsort(-places.score, kind="stable")]
            self._places, self._half_searched = _without(likeliest_first, seen), None
        elif len(self._places):
            self._places = _without(self._places, seen)
            return self._look(gray, _LOOKS_BESIDE if looked_for else _LOOKS)
        elif area := self._next_area(gray, time_s, known, missing, _DELAY_S if looked_for else 0.0):
            self._places, self._half_searched = self._detector.propose(gray, area, "small"), area
        return Detections.empty()

    def _next_area(
        self, gray: np.ndarray, time_s: float, known: Sequence[np.ndarray], missing: bool, delay_s: float = 0.0
    ) -> Area | None:
        if not self._thorough:
            return self._plan.next_area(gray, time_s, known, missing, delay_s)
        if time_s - self._searched_s < (_THOROUGH_SEARCH_S if missing else _THOROUGH_RESCAN_S):
            return None
        self._searched_s = time_s
        return 0, 0, gray.shape[1], gray.shape[0]

    def _look(self, gray: np.ndarray, count: int) -> Detections:
        places, self._places = self._places[:count], self._places[count:]
        return self._detector.confirm(gray, places) if len(places) else Detections.empty()


def _without(places: Detections, faces: np.ndarray) -> Detections:
    """Return the places but for those on known faces, xyxy (n, 4).

    Where the likeliest place on a known face is much larger or smaller, they stay: what is known may be a mouth.
    """
    kept = np.ones(len(places), bool)
    for face in faces:
        on_face = box_ios(face, places.xyxy) >= SAME_FACE
        sides = places.xyxy[on_face, 2] - places.xyxy[on_face, 0]
        if len(sides) and 1 / _OTHER_SIZE < sides[0] / (face[2] - face[0]) < _OTHER_SIZE:
            kept &= ~on_face
    return places[kept]
