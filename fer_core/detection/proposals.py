"""Places of a picture that may be a face, found by a small network in one search for all ways a head is held.

The network sees squares of 25 pixels, eight apart, in copies of the picture that are each reduced a little more, and
says how much each looks like a face, upright or tilted. It was trained with FER-2013's training faces pasted into
pictures without faces (`scripts/train_face_places.py`), so it knows faces well and the world hardly: what it proposes,
the cascades must see as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, takewhile
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from fer_core.errors import ModelError
from fer_core.types import Detections

WINDOW_PX = 24  # side of the smallest face that is found
SQUARE_PX = 25  # what the network sees
STRIDE_PX = 8
STEP = 2**0.5  # from one size to the next

# Left, top, right, bottom in pixels of a picture.
Area = tuple[int, int, int, int]
# A search for the smallest faces costs as much as one for all others; both if None.
Half = Literal["small", "large"] | None

_FILE = Path(__file__).with_name("face_places.onnx")
_EDGE_PX = 4  # added around a picture, so that a face may fill it
_FLATTEST = 6.0  # gray levels that are added to the contrast, or noise on a wall would be as strong as a face
_STRIP_PIXELS = 1_000_000  # are looked at together, which bounds the memory
_SAME_PLACE = 0.3  # overlap from which two squares are one place


class PlaceFinder:
    """The network, for one thread at a time.

    Raises:
        ModelError: its file is missing or damaged.
    """

    def __init__(self) -> None:
        try:
            self._network = cv2.dnn.readNetFromONNX(str(_FILE))
        except cv2.error as error:
            raise ModelError(f"The network that looks for faces cannot be read: {_FILE}. Install fer again.") from error

    def propose(self, gray: np.ndarray, least: float, half: Half = None) -> Detections:
        """Return the places of a picture, uint8 (h, w), whose logits are at least `least`, the likeliest first."""
        found = [np.empty((0, 5), np.float32)]
        edge = _EDGE_PX
        for scale in _scales(gray.shape, half):
            size_wh = round(gray.shape[1] / scale), round(gray.shape[0] / scale)
            small = gray if scale == 1.0 else cv2.resize(gray, size_wh, interpolation=cv2.INTER_AREA)
            edged = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
            for top, scores in self._look(edged):
                rows, columns = np.nonzero(scores >= least)
                corners = np.stack([columns * STRIDE_PX, rows * STRIDE_PX + top], axis=1) - edge
                boxes = np.concatenate([corners, corners + SQUARE_PX], axis=1) * scale
                found.append(np.column_stack([boxes, scores[rows, columns]]).astype(np.float32))
        return _grouped(np.concatenate(found))

    def _look(self, gray: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the scores of a picture's squares, float32 (m, n), strip by strip, each with its top in pixels."""
        rows = (gray.shape[0] - SQUARE_PX) // STRIDE_PX + 1
        at_once = max(1, _STRIP_PIXELS // (gray.shape[1] * STRIDE_PX))
        for first in range(0, rows, at_once):
            top = first * STRIDE_PX
            bottom = (min(first + at_once, rows) - 1) * STRIDE_PX + SQUARE_PX
            self._network.setInput(normalized(gray, top, bottom)[None, None])
            yield top, self._network.forward()[0, 0]


def _scales(shape: tuple[int, ...], half: Half) -> list[float]:
    """Return by how much a picture of a shape is reduced, once for each size of faces."""
    largest = min(shape) / (SQUARE_PX - 2 * _EDGE_PX)
    scales = list(takewhile(lambda scale: scale <= largest, (STEP**i for i in count())))
    return scales if half is None else scales[:1] if half == "small" else scales[1:]


def normalized(gray: np.ndarray, top: int, bottom: int) -> np.ndarray:
    """Return rows of a picture, uint8 (h, w), less what is around each pixel, in units of the contrast there.

    Returns:
        float32 (bottom - top, w).
    """
    first, size = max(0, top - SQUARE_PX // 2), (SQUARE_PX, SQUARE_PX)
    rows = gray[first : bottom + SQUARE_PX // 2]
    mean = cv2.boxFilter(rows, cv2.CV_32F, size, borderType=cv2.BORDER_REPLICATE)
    deviation = cv2.sqrBoxFilter(rows, cv2.CV_32F, size, borderType=cv2.BORDER_REPLICATE)
    deviation -= mean * mean
    np.sqrt(np.maximum(deviation, 0, out=deviation), out=deviation)
    deviation += _FLATTEST
    np.subtract(rows, mean, out=mean)
    mean /= deviation
    return mean[top - first : bottom - first]


def _grouped(found: np.ndarray) -> Detections:
    """Return one place for each group of squares that overlap, float32 (n, 5) as xyxy and score: their middle."""
    found = found[np.argsort(-found[:, 4], kind="stable")]
    boxes: list[np.ndarray] = []
    scores: list[float] = []
    while len(found):
        same = _overlaps(found[0], found) >= _SAME_PLACE
        group, found = found[same], found[~same]
        weights = np.exp(group[:, 4] - group[0, 4])
        boxes.append(weights @ group[:, :4] / weights.sum())
        scores.append(float(group[0, 4]))
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))


def _overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of a box with each of others (n, 4 or more), 0 to 1."""
    sides = np.clip(np.minimum(box[2:4], others[:, 2:4]) - np.maximum(box[:2], others[:, :2]), 0, None)
    shared = sides.prod(axis=1)
    return shared / ((box[2:4] - box[:2]).prod() + (others[:, 2:4] - others[:, :2]).prod(axis=1) - shared)
