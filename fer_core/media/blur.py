"""Blurring faces in copies, so that a face that is lost for a while stays hidden.

Hidden is what the detector finds, with a margin, and nothing else: a face that it never finds, such as one seen from
behind the ear, stays as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import cv2
import numpy as np

from fer_core.detection.boxes import box_iou
from fer_core.detection.detector import Detector
from fer_core.detection.proposals import Area, Half
from fer_core.types import Detections

Extra = TypeVar("Extra")

# A face that is lost stays blurred where it last was for so long.
KEPT_S = 2.0
# A place is blurred from so long before a face is first found there: a new face is found up to 0.5 s late.
BEFORE_S = 0.6
# Boxes reach from the brows to the chin; what is blurred reaches so much farther on every side, in sides of the box:
# hair and ears, and where a face may have moved while it was not seen.
_MARGIN, _UNSEEN_MARGIN = 0.35, 0.6
# What is left of a face: a mosaic of so many tiles a side, smoothed.
_TILES = 5
_SAME_PLACE = 0.3


@dataclass(slots=True)
class _Place:
    """Where a face was, frame by frame: times rising, boxes float32 (4,) as shares of the frame's sides."""

    times_s: list[float] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)

    def forget(self, before_s: float) -> None:
        count = bisect_left(self.times_s, before_s)
        del self.times_s[:count], self.boxes[:count]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[Extra]):
    image_bgr: np.ndarray
    time_s: float
    extra: Extra


class RecordingDetector:
    """Another detector, that keeps all it finds, also what is not confirmed as a face later."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._boxes: list[np.ndarray] = []

    def take(self) -> np.ndarray:
        """Return the boxes that were found since the last call, (n, 4) in pixels."""
        boxes, self._boxes = self._boxes, []
        return np.concatenate([np.empty((0, 4), np.float32), *boxes])

    def detect(self, gray: np.ndarray) -> Detections:
        return self._keep(self._detector.detect(gray))

    def propose(self, gray: np.ndarray, area: Area | None = None, half: Half = None) -> Detections:
        return self._detector.propose(gray, area, half)

    def confirm(self, gray: np.ndarray, places: Detections) -> Detections:
        return self._keep(self._detector.confirm(gray, places))

    def detect_around(self, gray: np.ndarray, xyxy: np.ndarray) -> Detections:
        return self._keep(self._detector.detect_around(gray, xyxy))

    def _keep(self, detections: Detections) -> Detections:
        self._boxes.append(detections.xyxy)
        return detections


class VideoBlur(Generic[Extra]):
    """Blurs the faces of a video's frames, which come back `BEFORE_S` later."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._waiting: deque[_Waiting[Extra]] = deque()

    def add(
        self, image_bgr: np.ndarray, time_s: float, boxes: np.ndarray, extra: Extra
    ) -> Iterator[tuple[np.ndarray, Extra]]:
        """Take in the next frame, and give those that are due.

        Args:
            image_bgr: uint8 (h, w, 3); it stays as it is.
            time_s: of the frame.
            boxes: (n, 4), faces in pixels.
            extra: comes back with the frame.

        Yields:
            A blurred frame, uint8 (h, w, 3), with its extra.
        """
        sides = np.tile(np.array(image_bgr.shape[1::-1], np.float32), 2)
        for box in boxes / sides:
            self._see(box, time_s)
        self._waiting.append(_Waiting(image_bgr, time_s, extra))
        while self._waiting[0].time_s < time_s - BEFORE_S:
            yield self._next()

    def flush(self) -> Iterator[tuple[np.ndarray, Extra]]:
        """Give the frames that still wait, as `add` gives them."""
        while self._waiting:
            yield self._next()

    def _see(self, box: np.ndarray, time_s: float) -> None:
        """Note a box at the place where a face was last, or at a new one."""
        for place in self._places:
            if box_iou(box, place.boxes[-1]) >= _SAME_PLACE:
                break
        else:
            place = _Place()
            self._places.append(place)
        place.times_s.append(time_s)
        place.boxes.append(box)

    def _next(self) -> tuple[np.ndarray, Extra]:
        frame = self._waiting.popleft()
        for place in self._places:
            place.forget(frame.time_s - KEPT_S)
        self._places = [place for place in self._places if place.times_s]
        hidden = [box for place in self._places for box in _boxes_at(place, frame.time_s)]
        sides = np.tile(np.array(frame.image_bgr.shape[1::-1], np.float32), 2)
        return blur_boxes(frame.image_bgr, [box * sides for box in hidden]), frame.extra


def blur_faces(image_bgr: np.ndarray, xyxy: np.ndarray) -> np.ndarray:
    """Return a picture uint8 (h, w, 3) with faces in boxes (n, 4) blurred."""
    return blur_boxes(image_bgr, [_grown(box, _MARGIN) for box in xyxy])


def blur_boxes(image_bgr: np.ndarray, boxes: Sequence[np.ndarray]) -> np.ndarray:
    """Return a picture uint8 (h, w, 3) with nothing left in boxes (4,) but a few shades."""
    blurred = image_bgr.copy()
    height, width = image_bgr.shape[:2]
    for box in boxes:
        left, top = np.floor(np.clip(box[:2], 0, (width, height))).astype(int)
        right, bottom = np.ceil(np.clip(box[2:], 0, (width, height))).astype(int)
        if right <= left or bottom <= top:
            continue
        area = image_bgr[top:bottom, left:right]
        tiles = cv2.resize(area, (_TILES, _TILES), interpolation=cv2.INTER_AREA)
        blurred[top:bottom, left:right] = cv2.resize(tiles, area.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return blurred


def _boxes_at(place: _Place, time_s: float) -> list[np.ndarray]:
    """Return what of a place is hidden at a time: the boxes seen then, else those last seen and next seen."""
    times_s = np.array(place.times_s)
    now = np.flatnonzero(times_s == time_s)
    if len(now):
        return [_grown(place.boxes[i], _MARGIN) for i in now]
    before, after = np.flatnonzero(times_s < time_s)[-1:], np.flatnonzero(times_s > time_s)[:1]
    kept = [i for i in before if time_s - times_s[i] <= KEPT_S] + [i for i in after if times_s[i] - time_s <= BEFORE_S]
    return [_grown(place.boxes[i], _UNSEEN_MARGIN) for i in kept]


def _grown(box: np.ndarray, margin: float) -> np.ndarray:
    sides = box[2:] - box[:2]
    return np.concatenate([box[:2] - margin * sides, box[2:] + margin * sides])
