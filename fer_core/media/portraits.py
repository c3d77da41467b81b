"""Pictures of faces, cut from the frames they were found in."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from fer_core.types import FrameResult

PORTRAIT_PX = 112
# More portraits than cards are shown would be made for nothing.
_MAX_PORTRAITS = 12
# A face that is only a little larger is not worth another picture.
_LARGER = 1.1
# So much of what is missing to 1 a score must be higher to make another moment, or a slow smile makes hundreds.
_CLEARER = 0.02


def portrait(result: FrameResult, i: int, image_bgr: np.ndarray) -> str:
    """Return the picture of a result's i-th face as a data URL of a JPEG, cut from uint8 (h, w, 3)."""
    height, width = image_bgr.shape[:2]
    left, top, right, bottom = result.detections.xyxy[i].round().astype(int).tolist()
    crop = image_bgr[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    if crop.size == 0:  # held beyond the edge of the picture
        crop = np.zeros((1, 1, 3), np.uint8)
    _, jpeg = cv2.imencode(".jpg", cv2.resize(crop, (PORTRAIT_PX, PORTRAIT_PX), interpolation=cv2.INTER_AREA))
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()


@dataclass(frozen=True)
class Moment:
    """When an expression was strongest in a video.

    Attributes:
        expression: its name.
        score: 0 to 1.
        time_s: seconds since the video's first frame.
        face: number of the face, from 1.
        picture: of the face, as a data URL.
    """

    expression: str
    score: float
    time_s: float
    face: int
    picture: str


class MomentGallery:
    """Keeps of each expression of each video the frame in which a valid face showed it most clearly.

    Args:
        uncertain_below: best score below which a face is uncertain, 0 to 1; none is if None.

    Attributes:
        moments: by name of a file and expression.
    """

    def __init__(self, uncertain_below: float | None) -> None:
        self.moments: dict[str, dict[str, Moment]] = {}
        self._uncertain_below = uncertain_below or 0.0

    def add(self, name: str, image_bgr: np.ndarray, result: FrameResult) -> None:
        """Look at the faces of a frame, uint8 (h, w, 3), of the file `name`."""
        kept = self.moments.setdefault(name, {})
        valid = result.quality_columns().get("valid", [True] * len(result))
        for i, expression in enumerate(result.prediction.top):
            score = float(result.prediction.probs[i].max())
            best = kept[expression].score if expression in kept else 0.0
            if valid[i] and score >= self._uncertain_below and score > best + _CLEARER * (1 - best):
                picture, face = portrait(result, i, image_bgr), int(result.track_id[i]) + 1
                kept[expression] = Moment(expression, score, result.time_s, face, picture)

    def by_time(self) -> dict[str, list[Moment]]:
        """Return the moments of each file as they came."""
        return {
            name: sorted(each.values(), key=lambda moment: moment.time_s) for name, each in self.moments.items() if each
        }


class PortraitGallery:
    """Keeps of each face of each file the picture in which it was largest.

    Attributes:
        portraits: by name of a file and number of a face, from 1 as in the table: its picture as a data URL.
    """

    def __init__(self) -> None:
        self.portraits: dict[str, dict[int, str]] = {}
        self._sides: dict[tuple[str, int], float] = {}

    def add(self, name: str, image_bgr: np.ndarray, result: FrameResult) -> None:
        """Look at the faces of a frame, uint8 (h, w, 3), of the file `name`."""
        kept = self.portraits.setdefault(name, {})
        for i, face in enumerate((result.track_id + 1).tolist()):
            side = float(result.detections.xyxy[i, 2] - result.detections.xyxy[i, 0])
            is_larger = side > _LARGER * self._sides.get((name, face), 0.0)
            if is_larger and (face in kept or len(kept) < _MAX_PORTRAITS):
                self._sides[name, face] = side
                kept[face] = portrait(result, i, image_bgr)
