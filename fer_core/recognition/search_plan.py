"""When, and where, a stream's frames are searched for new faces: where something changed, and now and then anyway.

A face that appears changes the picture, so what has not changed since it was searched need not be searched again soon.
The latest times are these:

| | first search after | without any change |
| --- | --- | --- |
| for two seconds after a stream begins or a face goes out of sight | 0.1 s | 0.5 s |
| then, while it is missing or none is known | 0.2 s | 0.5 s |
| while all known faces are in sight | 0.5 s | 2 s |
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from fer_core.detection.proposals import Area

SEARCH_S, SEARCH_LATER_S = 0.1, 0.2  # how often while there is no face, or a known one is missing
RESCAN_S = 0.5  # how often while all known faces are in sight
_LATER_S = 2.0
_UNCHANGED_SEARCH_S, _UNCHANGED_RESCAN_S = 0.5, 2.0  # and how often where nothing changes
_TOLERANCE_S = 0.01  # frames do not come on the dot

_SMALL_WH = (64, 48)
_CHANGE = 10  # gray levels; a camera's noise averages out in cells of the small copy
_CHANGED_CELLS = 6  # the smallest face, 48 of 640 px, covers 23
_AROUND = 1.3  # what moves with a known face, in sides of its box
_MARGIN_CELLS = 6  # around what changed: a head may change at its edges only
_WHOLE = 0.6  # share of the frame from which all of it is searched


class SearchPlan:
    """Decides for each frame of one stream whether, and where, to search it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: the next frame is searched."""
        self._searched_s = -math.inf
        self._missing_since_s: float | None = None
        self._before: np.ndarray | None = None

    def next_area(
        self, gray: np.ndarray, time_s: float, boxes: Sequence[np.ndarray], missing: bool, delay_s: float = 0.0
    ) -> Area | None:
        """Return where to search a frame now, None for nowhere; it then counts as searched.

        Args:
            gray: uint8 (h, w).
            time_s: when, in seconds.
            boxes: known faces, xyxy each; what changes there is no new face as long as none is missing.
            missing: whether a known face is out of sight, or none is known.
            delay_s: by so much it may be later than usual, in seconds.
        """
        waited_s = time_s - self._searched_s - delay_s
        if waited_s < self._interval_s(time_s, missing) - _TOLERANCE_S:
            return None
        height, width = gray.shape
        changed = self._compare(gray, () if missing else boxes)
        if np.count_nonzero(changed) >= _CHANGED_CELLS:
            area = _area_of(changed, width, height)
        elif waited_s >= (_UNCHANGED_SEARCH_S if missing else _UNCHANGED_RESCAN_S) - _TOLERANCE_S:
            area = 0, 0, width, height
        else:
            return None
        self._searched_s = time_s
        return area

    def _compare(self, gray: np.ndarray, boxes: Sequence[np.ndarray]) -> np.ndarray:
        """Return where, in cells, a frame changed since the last change, and take that in."""
        small = cv2.resize(gray, _SMALL_WH, interpolation=cv2.INTER_AREA)
        changed = np.ones_like(small, bool)
        if self._before is not None:
            changed = _changed_cells(self._before, small, boxes, gray.shape)
        if np.count_nonzero(changed) >= _CHANGED_CELLS:
            self._before = small
        return changed

    def _interval_s(self, time_s: float, missing: bool) -> float:
        if not missing:
            self._missing_since_s = None
            return RESCAN_S
        if self._missing_since_s is None:
            self._missing_since_s = time_s
        return SEARCH_S if time_s - self._missing_since_s < _LATER_S else SEARCH_LATER_S


def _changed_cells(
    before: np.ndarray, now: np.ndarray, boxes: Sequence[np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """Return where small copies of two frames, the later one of this shape, differ outside boxes: bool."""
    changed = cv2.absdiff(before, now) > _CHANGE
    scale = np.array([_SMALL_WH[0] / shape[1], _SMALL_WH[1] / shape[0]] * 2)
    for xyxy in boxes:
        reach = (_AROUND - 1) / 2 * (xyxy[2] - xyxy[0])
        left, top, right, bottom = np.round((xyxy + reach * np.array([-1, -1, 1, 1])) * scale).astype(int).clip(0)
        changed[top:bottom, left:right] = False
    return changed


def _area_of(changed: np.ndarray, width: int, height: int) -> Area:
    """Return the part of a frame around changed cells; all of it if that is most of it."""
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    left, right = max(0, columns[0] - _MARGIN_CELLS), min(_SMALL_WH[0], columns[-1] + 1 + _MARGIN_CELLS)
    top, bottom = max(0, rows[0] - _MARGIN_CELLS), min(_SMALL_WH[1], rows[-1] + 1 + _MARGIN_CELLS)
    if (right - left) * (bottom - top) >= _WHOLE * _SMALL_WH[0] * _SMALL_WH[1]:
        return 0, 0, width, height
    x, y = width / _SMALL_WH[0], height / _SMALL_WH[1]
    return int(left * x), int(top * y), math.ceil(right * x), math.ceil(bottom * y)
