"""Places of a picture that may be a face, found in one search instead of one for each way a head is held.

A cascade is a row of stages, and a face that is tilted or half in shadow passes most of them. Its first stages alone
propose nearly every face, upright or tilted, and little else; a closer look then costs a fraction of another search.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np

from fer_core.detection.patch import cut_square

WINDOW_PX = 24  # side of the smallest face a cascade can see

_STEP = 1.2  # from one size to the next
_SAME_SIZE = 0.3  # how much boxes of one proposal may differ, as a share of their sides
# A small square in which a proposal must pass a few stages more, and the sides it may have there.
_TILE_PX, _TILE_REACH, _TILE_STEP = 48, 1.5, 1.1
_TILE_SIDES = 26, 42


def first_stages(path: Path, count: int) -> cv2.CascadeClassifier:
    """Return the first `count` stages of the cascade in a file of OpenCV as a cascade of their own."""
    tree = ET.parse(path)
    stages, stage_count = tree.find("cascade/stages"), tree.find("cascade/stageNum")
    assert stages is not None and stage_count is not None
    for stage in list(stages)[count:]:
        stages.remove(stage)
    stage_count.text = str(len(stages))
    text = '<?xml version="1.0"?>\n' + ET.tostring(tree.getroot(), encoding="unicode")
    file = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    cascade = cv2.CascadeClassifier()
    cascade.read(file.getFirstTopLevelNode())
    return cascade


def propose(cascade: cv2.CascadeClassifier, gray: np.ndarray) -> np.ndarray:
    """Return the places of a picture, uint8 (h, w), that pass a cascade: boxes float32 (n, 4) in its pixels."""
    places, scale = [np.empty((0, 4), np.float32)], 1
    # Each octave is searched in a picture half as large: in steps as fine for its faces as for the smallest ones.
    while min(gray.shape) >= WINDOW_PX:
        hits = cascade.detectMultiScale(
            gray,
            scaleFactor=_STEP,
            minNeighbors=0,
            minSize=(WINDOW_PX, WINDOW_PX),
            maxSize=(2 * WINDOW_PX - 1, 2 * WINDOW_PX - 1),
        )
        places.append(_grouped(np.asarray(hits, np.int32).reshape(-1, 4)) * scale)
        gray = cv2.resize(gray, (gray.shape[1] // 2, gray.shape[0] // 2), interpolation=cv2.INTER_AREA)
        scale *= 2
    return np.concatenate(places)


def promising_tilts(cascade: cv2.CascadeClassifier, gray: np.ndarray, xyxy: np.ndarray, tilts: np.ndarray) -> list[int]:
    """Return in which tilts a place passes a cascade too, as indices of the affine maps (m, 2, 3) that turn a tile."""
    tile = cut_square(gray, xyxy, _TILE_REACH, _TILE_PX)
    low, high = _TILE_SIDES
    passing: list[int] = []
    for index, tilt in enumerate(tilts):
        turned = cv2.warpAffine(tile, tilt, tile.shape, borderMode=cv2.BORDER_REPLICATE)
        if len(cascade.detectMultiScale(turned, _TILE_STEP, 1, minSize=(low, low), maxSize=(high, high))):
            passing.append(index)
    return passing


def tile_tilts(tilts_deg: tuple[float, ...]) -> np.ndarray:
    """Return the affine maps (m, 2, 3) that turn a tile about its middle."""
    middle = _TILE_PX / 2
    return np.array([cv2.getRotationMatrix2D((middle, middle), tilt_deg, 1.0) for tilt_deg in tilts_deg])


def _grouped(xywh: np.ndarray) -> np.ndarray:
    """Return one box float32 (m, 4) as xyxy for each group of similar ones, int32 (n, 4) as x, y, width, height."""
    boxes = xywh.tolist()
    # Groups of a single box are left out; so each is there twice.
    grouped, _ = cv2.groupRectangles(boxes + boxes, 1, _SAME_SIZE) if boxes else ((), ())
    xyxy = np.asarray(grouped, np.float32).reshape(-1, 4)
    xyxy[:, 2:] += xyxy[:, :2]
    return xyxy
