"""Finding faces with OpenCV's Haar cascades: fast on any processor, no download, no network.

One cascade alone either misses faces or invents them. Here two that were trained differently work
together: what one proposes and is not sure of, the other must see as well. On pictures without faces
they almost never agree on the same mistake, so each may propose leniently. Both were trained on upright
heads, so tilted ones are looked for in a turned picture.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from fer_core.detection.boxes import centers, join, non_max_suppression
from fer_core.detection.patch import cut_square
from fer_core.errors import ModelError
from fer_core.types import Detections

WINDOW_PX = 24  # side of the smallest face a cascade can see

_FILES = "haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml"
_TILT_DEG = 14  # the cascades themselves see some ten degrees to either side
# One look at a whole image: which cascade proposes, and by how much the image is turned.
_LOOKS = (0, 0), (1, 0), (0, _TILT_DEG), (0, -_TILT_DEG)
_SURE_HITS = 10  # so many overlapping hits of one cascade need no second opinion
# In a picture seen at full size there are many more places to be wrong about. A face that only shows there always
# needs a second opinion and, by its side in smallest faces, so many hits.
_FINE_SIDES, _FINE_HITS = (1.35, 2.0), (3, 8)
# A picture that shows its smallest faces when only so much larger is searched once, at that size.
_MUCH_FINER = 1.3

_NEAR_PX = 44  # a known face is searched for again with its side brought to this
_NEAR_REACH = 2.0  # side of the searched square, in sides of the face


class HaarDetector:
    """Finds frontal faces; one detector may serve many threads.

    OpenCV's cascades keep scratch memory and must not be shared, so each thread that calls gets
    its own pair on first use (some 50 ms) and frees it when it ends.

    Args:
        min_size_px: side of the smallest face to find, in pixels of the full image.
        max_side_px: frames of streams are reduced until their longer side is at most this, so that the smallest face
            found in them is also at least 24/max_side_px of it. Single pictures are also searched at full size.
        min_neighbors: how many overlapping hits make a face, 1 or more: fewer find more faces and more mistakes.

    Raises:
        ModelError: if OpenCV's cascade files are missing or unreadable.
        ValueError: if a value is not usable.
    """

    def __init__(self, min_size_px: int = 48, max_side_px: int = 640, min_neighbors: int = 2) -> None:
        if min_size_px < WINDOW_PX or max_side_px < 2 * WINDOW_PX:
            raise ValueError(
                f"expected min_size_px >= {WINDOW_PX} and max_side_px >= {2 * WINDOW_PX}, "
                f"got {min_size_px} and {max_side_px}"
            )
        if min_neighbors < 1:
            raise ValueError(f"expected min_neighbors >= 1, got {min_neighbors}")
        self.min_size_px = min_size_px
        self.max_side_px = max_side_px
        self.min_neighbors = min_neighbors
        self._local = threading.local()
        self._cascades()  # a missing file is an error now, not in the first frame

    def detect(self, gray: np.ndarray) -> Detections:
        """Find the faces of a picture of any size, as thoroughly as possible, in time that grows with its pixels.

        Args:
            gray: uint8 (h, w).

        Returns:
            One square box for each face in pixels of `gray`; the score is the number
            of overlapping cascade hits.
        """
        coarse, fine = self._coarse_scale(gray), self._fine_scale
        if fine <= _MUCH_FINER * coarse:
            return self._look_everywhere(gray, fine)
        small = _shrink(gray, fine)
        closely = [self._look_closely(small, fine / coarse, *look) for look in _LOOKS]
        return non_max_suppression(join([self._look_everywhere(gray, coarse), *closely]))

    def detect_frame(self, gray: np.ndarray, number: int | None = None) -> Detections:
        """Find the faces of a stream's frame, reduced to `max_side_px`.

        Args:
            gray: uint8 (h, w).
            number: 0, 1, 2, ... for successive searches of a stream, each in about a quarter of the time of a
                thorough one: four in a row find what it finds. A thorough search if None.
        """
        looks = _LOOKS if number is None else (_LOOKS[number % len(_LOOKS)],)
        return self._look_everywhere(gray, self._coarse_scale(gray), looks)

    def detect_around(self, gray: np.ndarray, xyxy: np.ndarray) -> Detections:
        """Look for a face that was just at `xyxy`: finer and more lenient than `detect`, and far faster.

        Args:
            gray: uint8 (h, w).
            xyxy: (4,), where the face was last, in pixels of `gray`.

        Returns:
            Faces of about the same size around that place, as from `detect`; often one, perhaps none.
        """
        patch = cut_square(gray, xyxy, _NEAR_REACH, round(_NEAR_REACH * _NEAR_PX))
        scale = _NEAR_PX / float(xyxy[2] - xyxy[0])
        for tilt_deg in (0, _TILT_DEG, -_TILT_DEG):
            turned, back = _turn(patch, tilt_deg)
            for cascade in self._cascades():
                boxes, hits = _scan(cascade, turned, 1.08, 2, round(0.75 * _NEAR_PX), round(1.4 * _NEAR_PX))
                if len(boxes):
                    moved = (_turn_boxes(boxes, back) - len(patch) / 2) / scale
                    return Detections((moved + np.tile(centers(xyxy[None])[0], 2)).astype(np.float32), hits)
        return Detections.empty()

    @property
    def _fine_scale(self) -> float:
        """How much a picture may be reduced with its smallest faces still seen."""
        return min(1.0, WINDOW_PX / self.min_size_px)

    def _coarse_scale(self, gray: np.ndarray) -> float:
        return min(self._fine_scale, self.max_side_px / max(gray.shape))

    def _look_everywhere(self, gray: np.ndarray, scale: float, looks: Sequence[tuple[int, int]] = _LOOKS) -> Detections:
        """Search the whole image at a scale for faces of all sizes."""
        small = _shrink(gray, scale)
        side = max(WINDOW_PX, round(self.min_size_px * scale))
        return non_max_suppression(
            join([self._search(small, scale, *look, side, min(gray.shape), _SURE_HITS) for look in looks])
        )

    def _look_closely(self, small: np.ndarray, finer: float, proposer: int, tilt_deg: int) -> Detections:
        """Search an image at the finest scale for faces too small to be seen when it is `finer` times smaller."""
        # Somewhat larger ones too: at its smallest size a cascade sees less well.
        largest = round(1.5 * WINDOW_PX * finer)
        detections = self._search(small, self._fine_scale, proposer, tilt_deg, WINDOW_PX, largest)
        sides = (detections.xyxy[:, 2] - detections.xyxy[:, 0]) / self.min_size_px
        kept = detections.score >= np.interp(sides, _FINE_SIDES, _FINE_HITS)
        return Detections(detections.xyxy[kept], detections.score[kept])

    def _search(
        self,
        small: np.ndarray,
        scale: float,
        proposer: int,
        tilt_deg: int,
        min_side: int,
        max_side: int,
        sure_hits: float = np.inf,
    ) -> Detections:
        """Search an image reduced by `scale`; sides are in its pixels. `sure_hits` need no second opinion."""
        turned, back = _turn(small, tilt_deg)
        cascades = self._cascades()
        first, second = cascades[proposer], cascades[1 - proposer]
        boxes, hits = _scan(first, turned, 1.2, self.min_neighbors, min_side, min(max_side, *turned.shape))
        sure = np.array(
            [n >= sure_hits or _sees(second, turned, box) for box, n in zip(boxes, hits, strict=True)], bool
        )
        return Detections((_turn_boxes(boxes[sure], back) / scale).astype(np.float32), hits[sure])

    def _cascades(self) -> tuple[cv2.CascadeClassifier, ...]:
        if not hasattr(self._local, "cascades"):
            self._local.cascades = tuple(_load(name) for name in _FILES)
        return self._local.cascades


def _load(name: str) -> cv2.CascadeClassifier:
    folder = cast(str, cv2.data.haarcascades)  # pyright: ignore  # OpenCV's types leave it out
    path = Path(folder) / name
    if not path.is_file():
        raise ModelError(
            f"OpenCV's face cascade is missing: expected {path}. "
            "Install opencv-python-headless 4.x again; OpenCV 5 no longer ships it."
        )
    cascade = cv2.CascadeClassifier()
    try:
        cascade.load(str(path))
    except cv2.error as error:
        raise ModelError(
            f"OpenCV's face cascade cannot be read: {path}. Install opencv-python-headless 4.x again."
        ) from error
    return cascade


def _scan(
    cascade: cv2.CascadeClassifier, gray: np.ndarray, step: float, neighbors: int, min_side: int, max_side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes float32 (n, 4) as xyxy in pixels of `gray`, and hits float32 (n,)."""
    boxes, hits = cascade.detectMultiScale2(
        gray, scaleFactor=step, minNeighbors=neighbors, minSize=(min_side, min_side), maxSize=(max_side, max_side)
    )
    xyxy = np.asarray(boxes, np.float32).reshape(-1, 4)
    xyxy[:, 2:] += xyxy[:, :2]
    return xyxy, np.asarray(hits, np.float32).reshape(-1)


def _sees(cascade: cv2.CascadeClassifier, gray: np.ndarray, xyxy: np.ndarray) -> bool:
    """Tell whether a cascade sees a face of about a box's size at its place."""
    patch = cut_square(gray, xyxy, 1.6, round(1.6 * _NEAR_PX))
    boxes, _ = _scan(cascade, patch, 1.1, 1, round(0.7 * _NEAR_PX), round(1.4 * _NEAR_PX))
    return len(boxes) > 0


def _turn(gray: np.ndarray, tilt_deg: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the image turned about its middle, of the same size, and the affine map (2, 3) that turns points back."""
    if tilt_deg == 0:
        return gray, np.eye(2, 3)
    size_wh = gray.shape[::-1]
    affine = cv2.getRotationMatrix2D((size_wh[0] / 2, size_wh[1] / 2), tilt_deg, 1.0)
    turned = cv2.warpAffine(gray, affine, size_wh, borderMode=cv2.BORDER_REPLICATE)
    return turned, cv2.invertAffineTransform(affine)


def _turn_boxes(xyxy: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return boxes (n, 4) with their centres moved by an affine map; they stay upright and keep their sides."""
    middle = centers(xyxy)
    return xyxy + np.tile(middle @ affine[:, :2].T + affine[:, 2] - middle, 2)


def _shrink(gray: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return gray
    size_wh = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    return cv2.resize(gray, size_wh, interpolation=cv2.INTER_AREA)
