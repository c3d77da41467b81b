"""Finding faces with OpenCV's Haar cascades: fast on any processor, no download.

One cascade alone either misses faces or invents them. Here two that were trained differently work together, and only
where a small network proposes a face: both must see one there. On pictures without faces the three almost never agree
on the same mistake, so each may be lenient. The cascades were trained on upright heads, so tilted ones are looked for
in a turned picture.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar, cast

import cv2
import numpy as np

from fer_core.detection.boxes import SAME_FACE, box_ios, centers, join, non_max_suppression
from fer_core.detection.patch import cut_square
from fer_core.detection.proposals import WINDOW_PX, Area, Half, PlaceFinder
from fer_core.errors import ModelError
from fer_core.types import Detections

_FILES = "haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml"
_TILTS_DEG = 0, 14, -14  # the cascades themselves see some ten degrees to either side
# Scores from which on a place that the network proposes is worth a closer look, and is a face if both cascades see one
# at all.
_WORTH_A_LOOK, _LIKELY = 1.5, 4.0
# So close, a face has several times as many hits as in a search of the whole picture: of one cascade at least so many
# times the set number, and of both together so many, by its side in windows, since small things look alike.
_CLOSE_HITS = 3
_CLOSE_SIDES, _CLOSE_SUMS = (1.5, 2.5), (10.0, 3.5)
_LEAST_SIDE = 0.9  # a box may be so much smaller than the smallest face: it is not exact

_NEAR_PX = 44  # a known face is searched for again with its side brought to this
_NEAR_REACH = 2.0  # side of the searched square, in sides of the face


_Loan = TypeVar("_Loan")
_Pair: TypeAlias = tuple[cv2.CascadeClassifier, ...]


class HaarDetector:
    """Finds frontal faces; one detector may serve many threads.

    OpenCV's cascades keep scratch memory, 7 MB for a stream's frames, and must not be shared. So each call borrows a
    pair for itself, and there are no more pairs than cores: with more, calls would only wait for one another's core.

    Args:
        min_size_px: side of the smallest face to find, in pixels of the full image.
        max_side_px: frames of streams are reduced until their longer side is at most this, so that the smallest face
            found in them is also at least 24/max_side_px of it. Single pictures are searched for faces of every size.
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
        self._cascades, self._finders = _Pool(_load_cascades, _cores()), _Pool(PlaceFinder, _cores())
        with self._cascades.borrow():  # a missing file is an error now, not in the first frame
            pass

    def detect(self, gray: np.ndarray) -> Detections:
        """Find the faces of a picture of any size, as thoroughly as possible, in time that grows with its pixels.

        Args:
            gray: uint8 (h, w).

        Returns:
            One square box for each face in pixels of `gray`; the score is the number
            of overlapping cascade hits.
        """
        scale = self._fine_scale
        small = _shrink(gray, scale)
        return self._confirm(small, self._propose(small, None), scale)

    def propose(self, gray: np.ndarray, area: Area | None = None, half: Half = None) -> Detections:
        """Return the places of a stream's frame that may be a face; the frame is reduced to `max_side_px`.

        Args:
            gray: uint8 (h, w).
            area: the part to search, all of it if None.
            half: whether only the smallest faces are searched for, or only the others.

        Returns:
            The likeliest first, in pixels of `gray`.
        """
        left, top, right, bottom = area or (0, 0, gray.shape[1], gray.shape[0])
        scale = self._coarse_scale(gray)
        places = self._propose(_shrink(gray[top:bottom, left:right], scale), half)
        return Detections(places.xyxy / np.float32(scale) + np.array([left, top, left, top], np.float32), places.score)

    def confirm(self, gray: np.ndarray, places: Detections) -> Detections:
        """Look closely at places of a stream's frame, which costs far more than to propose them.

        Args:
            gray: uint8 (h, w), the frame, or one soon after it.
            places: from `propose`.

        Returns:
            The faces there, as from `detect`.
        """
        scale = self._coarse_scale(gray)
        return self._confirm(_shrink(gray, scale), Detections(places.xyxy * np.float32(scale), places.score), scale)

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
        with self._cascades.borrow() as cascades:
            for tilt_deg in _TILTS_DEG:
                turned, back = _turn(patch, tilt_deg)
                for cascade in cascades:
                    boxes, hits = _scan_near(cascade, turned, 2)
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

    def _propose(self, small: np.ndarray, half: Half) -> Detections:
        with self._finders.borrow() as finder:
            return finder.propose(small, _WORTH_A_LOOK, half)

    def _confirm(self, small: np.ndarray, places: Detections, scale: float) -> Detections:
        """Return which places of a picture, reduced by a scale, are a face, in pixels of the whole one."""
        faces = Detections.empty()
        with self._cascades.borrow() as cascades:
            for place, score in zip(places.xyxy, places.score, strict=True):
                if not (box_ios(place, faces.xyxy) >= SAME_FACE).any():
                    faces = join([faces, self._look_closely(cascades, small, place, score >= _LIKELY)])
        found = non_max_suppression(Detections(faces.xyxy / np.float32(scale), faces.score))
        large = found.xyxy[:, 2] - found.xyxy[:, 0] >= _LEAST_SIDE * self.min_size_px
        return found[large]

    def _look_closely(self, cascades: _Pair, small: np.ndarray, xyxy: np.ndarray, likely: bool) -> Detections:
        """Return the face at a place of a picture, in its pixels, in the first tilt in which both cascades see one."""
        patch = cut_square(small, xyxy, _NEAR_REACH, round(_NEAR_REACH * _NEAR_PX))
        side = float(xyxy[2] - xyxy[0])
        for tilt_deg in _TILTS_DEG:
            turned, back = _turn(patch, tilt_deg)
            seen = [(boxes, hits) for boxes, hits in _looks_near(cascades, turned) if len(hits)]
            if len(seen) == 2 and self._is_face([float(hits.max()) for _, hits in seen], side, likely):
                boxes, hits = max(seen, key=lambda each: each[1].max())
                best = [int(hits.argmax())]
                moved = (_turn_boxes(boxes[best], back) - len(patch) / 2) * side / _NEAR_PX
                placed = moved + np.tile(centers(xyxy[None])[0], 2)
                return Detections(placed.astype(np.float32), hits[best])
        return Detections.empty()

    def _is_face(self, hits: Sequence[float], side: float, likely: bool) -> bool:
        """Return whether so many hits of both cascades make a face, its side in pixels of the reduced picture."""
        if likely:
            return min(hits) >= self.min_neighbors / 2
        together = np.interp(side / WINDOW_PX, _CLOSE_SIDES, _CLOSE_SUMS)
        needed = float(together) * self.min_neighbors
        return max(hits) >= _CLOSE_HITS * self.min_neighbors and sum(hits) >= needed


class _Pool(Generic[_Loan]):
    """What one call at a time may use, made when it is needed.

    Args:
        make: makes one.
        limit: so many there are at most; who finds all of them in use waits.
    """

    def __init__(self, make: Callable[[], _Loan], limit: int) -> None:
        self._make = make
        self._places = threading.BoundedSemaphore(limit)
        self._idle: deque[_Loan] = deque()

    @contextmanager
    def borrow(self) -> Generator[_Loan]:
        """Have one for the time of the block."""
        with self._places:
            try:
                loan = self._idle.pop()
            except IndexError:
                loan = self._make()
            try:
                yield loan
            finally:
                self._idle.append(loan)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return max(2, len(affinity(0)) if affinity else os.cpu_count() or 1)


def _load_cascades() -> _Pair:
    return tuple(map(_load, _FILES))


def _file(name: str) -> Path:
    return Path(cast(str, cv2.data.haarcascades)) / name  # pyright: ignore  # OpenCV's types leave it out


def _load(name: str) -> cv2.CascadeClassifier:
    path = _file(name)
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


def _scan_near(cascade: cv2.CascadeClassifier, patch: np.ndarray, neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Return faces with a side of about `_NEAR_PX`: boxes float32 (n, 4) as xyxy in pixels, and hits float32 (n,)."""
    least, most = round(0.75 * _NEAR_PX), round(1.4 * _NEAR_PX)
    boxes, hits = cascade.detectMultiScale2(
        patch, scaleFactor=1.08, minNeighbors=neighbors, minSize=(least, least), maxSize=(most, most)
    )
    xyxy = np.asarray(boxes, np.float32).reshape(-1, 4)
    xyxy[:, 2:] += xyxy[:, :2]
    return xyxy, np.asarray(hits, np.float32).reshape(-1)


def _looks_near(cascades: _Pair, patch: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield what each cascade sees in a patch; the second is not asked where the first sees nothing."""
    for cascade in reversed(cascades):
        boxes, hits = _scan_near(cascade, patch, 1)
        yield boxes, hits
        if not len(hits):
            return


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
