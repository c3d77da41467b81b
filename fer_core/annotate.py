"""Drawing what was found onto a picture: a box in the expression's colour and a plate with its word.

A plate is white on nearly black with a swatch of the colour, so it reads on any scene and colour never
stands alone. A face whose best score is too low gets a dashed white outline and the word "uncertain".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.emotions import color_bgr
from fer_core.types import FrameResult

UNCERTAIN = "uncertain"

INK_BGR = (31, 24, 20)  # plates and the rim of lines
WORD_BGR = (255, 255, 255)
SCORE_BGR = (222, 212, 205)
PLATE_ALPHA = 0.86  # over pure white the plate is still dark enough for 4.5:1

_OUTLINE_BGR = (245, 245, 245)
_RIM_ALPHA = 0.65
_SUBPIXEL_BITS = 3
# The four quarters of a circle of radius 1, clockwise from the left: (4, 6, 2).
_ANGLES = np.pi * np.array([1, 1.5, 0, 0.5])[:, None] + np.linspace(0, np.pi / 2, 6)
_CORNERS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=2)

Color = tuple[int, int, int]  # blue, green, red, each 0 to 255
Spot = tuple[int, int, int, int]  # left, top, right, bottom in pixels

_font_lock = threading.Lock()  # FreeType faces are not made for two threads at once


@dataclass(frozen=True, slots=True)
class AnnotateOptions:
    """What is drawn.

    Attributes:
        boxes: whether faces are boxed.
        words: whether plates with word and percentage are shown.
        threshold: a best score below it is drawn as uncertain, 0 to 1.
        numbers: whether plates begin with the face's number, from 1, as tables and cards have it; without words,
            boxes get a plate with the number alone.
    """

    boxes: bool = True
    words: bool = True
    threshold: float = 0.4
    numbers: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"threshold must be 0 to 1, got {self.threshold}")


def annotate(image_bgr: np.ndarray, result: FrameResult, options: AnnotateOptions | None = None) -> np.ndarray:
    """Draw faces and their expressions.

    Args:
        image_bgr: uint8 (h, w, 3) BGR or (h, w) gray, the picture the result belongs to; it stays as it is.
        result: what was found in it.
        options: what is drawn; the default draws everything.

    Returns:
        A new image, uint8 (h, w, 3) BGR.

    Raises:
        ValueError: if the picture has another size than the result's.
    """
    options = options or AnnotateOptions()
    height, width = image_bgr.shape[:2]
    if (width, height) != result.size_wh:
        raise ValueError(
            f"expected the result's own picture of {result.size_wh[0]}x{result.size_wh[1]} px, "
            f"got one of {width}x{height} px"
        )
    image = cv2.cvtColor(image_bgr, cv2.COLOR_GRAY2BGR) if image_bgr.ndim == 2 else image_bgr.copy()
    labels = result.prediction.labels
    columns = result.labels_to_show(options.threshold)
    colors = [None if column is None else color_bgr(labels[column], labels) for column in columns]
    if options.boxes:
        for xyxy, color in zip(result.detections.xyxy, colors, strict=True):
            _draw_box(image, xyxy, color)
    if options.words or (options.boxes and options.numbers):  # after all boxes, so that no line crosses a word
        _draw_plates(image, result, columns, colors, options)
    return image


def line_px(width: int, height: int) -> int:
    """Return the width of lines for a picture of this size, so that it looks the same at any size."""
    return max(1, round(min(width, height) / 240))


def text_px(width: int, height: int) -> int:
    """Return the size of letters for a picture of this size, at least what is legible."""
    return max(13, round(min(width, height) / 27))


# Boxes


def _draw_box(image: np.ndarray, xyxy: np.ndarray, color: Color | None) -> None:
    """Draw the box of a face; a dashed white one if it has no colour, since it is uncertain."""
    height, width = image.shape[:2]
    line = line_px(width, height)
    box = _inside(xyxy, width, height, margin=line / 2 + 1)
    path = _rounded(box, radius=0.06 * float(min(box[2] - box[0], box[3] - box[1])))
    strokes = _dashes(path, 5.0 * line + 4.0) if color is None else [np.vstack([path, path[:1]])]
    left, top = np.maximum(box[:2] - line - 2, 0).astype(int)
    right, bottom = np.ceil(box[2:]).astype(int) + line + 3
    area = image[top:bottom, left:right]
    points = [_fixed(stroke - (left, top)) for stroke in strokes]
    rimmed = area.copy()
    cv2.polylines(rimmed, points, False, INK_BGR, line + 2, cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.addWeighted(rimmed, _RIM_ALPHA, area, 1 - _RIM_ALPHA, 0, dst=area)
    cv2.polylines(area, points, False, color or _OUTLINE_BGR, line, cv2.LINE_AA, _SUBPIXEL_BITS)


def _inside(xyxy: np.ndarray, width: int, height: int, margin: float) -> np.ndarray:
    """Return the part of a box that lies in the picture, so that its outline stays in sight."""
    low = np.full(4, margin)
    high = np.array([width, height, width, height]) - 1.0 - margin
    return np.clip(xyxy, low, np.maximum(low, high))


def _rounded(xyxy: np.ndarray, radius: float) -> np.ndarray:
    """Return the outline of a box with round corners, float (m, 2), clockwise from the top left."""
    left, top, right, bottom = (float(value) for value in xyxy)
    left, right, top, bottom = left + radius, right - radius, top + radius, bottom - radius
    middles = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    return (middles[:, None] + radius * _CORNERS).reshape(-1, 2)


def _dashes(path: np.ndarray, dash_px: float) -> list[np.ndarray]:
    """Return a closed path cut into dashes with gaps of the same length."""
    closed = np.vstack([path, path[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    count = max(4, round(along[-1] / (2 * dash_px)))
    edges = np.linspace(0, along[-1], 2 * count + 1)[:-1]
    at = np.linspace(edges[::2], edges[1::2], 5, axis=1)  # (dashes, points)
    return [np.stack([np.interp(dash, along, closed[:, 0]), np.interp(dash, along, closed[:, 1])], 1) for dash in at]


# Plates


def _draw_plates(
    image: np.ndarray,
    result: FrameResult,
    columns: list[int | None],
    colors: list[Color | None],
    options: AnnotateOptions,
) -> None:
    plates: list[Spot] = []
    faces = result.detections.xyxy
    for row, (column, color) in enumerate(zip(columns, colors, strict=True)):
        text, percent = _plate_text(result, row, column, options)
        plate = _plate(text, color, percent, text_px(*result.size_wh))
        plates.append(_draw_plate(image, faces[row], plate, np.array(plates), np.delete(faces, row, axis=0)))


def _plate_text(result: FrameResult, row: int, column: int | None, options: AnnotateOptions) -> tuple[str, str | None]:
    """Return what a face's plate says, and its percentage if it has one."""
    number = str(result.track_id[row] + 1)
    if not options.words:
        return number, None
    word = UNCERTAIN if column is None else result.prediction.labels[column]
    percent = None if column is None else f"{round(100 * float(result.prediction.probs[row, column]))} %"
    return f"{number}  {word}" if options.numbers else word, percent


def _draw_plate(
    image: np.ndarray,
    xyxy: np.ndarray,
    plate_and_alpha: tuple[np.ndarray, np.ndarray],
    plates: np.ndarray,
    others: np.ndarray,
) -> Spot:
    """Draw a face's plate clear of other plates and, where it can be, of other faces; return its place."""
    height, width = image.shape[:2]
    plate, alpha = plate_and_alpha
    tall, wide = min(len(plate), height), min(plate.shape[1], width)
    left, top, right, bottom = _spot(xyxy, wide, tall, width, height, plates, others)
    area = image[top:bottom, left:right]
    plate, alpha = plate[:tall, :wide], alpha[:tall, :wide]
    area[:] = (area * (1 - alpha) + plate * alpha + 0.5).astype(np.uint8)
    return left, top, right, bottom


def _spot(
    xyxy: np.ndarray, wide: int, tall: int, width: int, height: int, plates: np.ndarray, others: np.ndarray
) -> Spot:
    """Return where a plate goes: above its face, else below, else at the inner upper or lower edge.

    It begins with its face or, where that covers others, ends with it. The first of these places that covers no other
    plate and no other face, else the one that covers least of both.
    """
    gap = line_px(width, height) + 2
    lefts = [int(np.clip(round(float(x)), 0, width - wide)) for x in (xyxy[0], xyxy[2] - wide)]
    top, bottom = round(float(xyxy[1])), round(float(xyxy[3]))
    spots = [
        (left, y, left + wide, y + tall)
        for y in (top - gap - tall, bottom + gap, max(top, 0) + gap, min(bottom, height) - gap - tall)
        for left in lefts
        if 0 <= y <= height - tall
    ]
    if not spots:
        return lefts[0], 0, lefts[0] + wide, tall
    if not len(plates) and not len(others):
        return spots[0]
    return min(spots, key=lambda spot: (_covered(spot, plates), _covered(spot, others)))


def _covered(spot: Spot, boxes: np.ndarray) -> float:
    """Return how many pixels of boxes (n, 4) a spot covers."""
    boxes = boxes.reshape(-1, 4)
    sides = np.minimum(spot[2:], boxes[:, 2:]) - np.maximum(spot[:2], boxes[:, :2])
    return float(np.clip(sides, 0, None).prod(axis=1).sum())


def _plate(word: str, color: Color | None, percent: str | None, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a plate as BGR float32 (h, w, 3) and opacity float32 (h, w, 1), 0 to 1."""
    drawn, alpha = _word_plate(word, color, percent is not None, size_px)
    plate = drawn.astype(np.float32)
    if percent is not None:
        # Right-aligned in a column of fixed width: the plate must not breathe with the digits.
        score, right = _score(percent, size_px), plate.shape[1] - _pad(size_px)
        plate[:, right - score.shape[1] : right] = score
    return plate, alpha


@lru_cache(maxsize=256)
def _score(percent: str, size_px: int) -> np.ndarray:
    """Return the part of a plate with the percentage, as BGR uint8 (h, w, 3)."""
    with _font_lock:
        font = ImageFont.load_default(size_px)
        wide, tall = round(font.getlength("100 %")), round(1.5 * size_px)
        ink = Image.new("RGB", (wide, tall), INK_BGR)
        ImageDraw.Draw(ink).text((wide, tall / 2 + 0.36 * size_px), percent, SCORE_BGR, font, anchor="rs")
    return np.array(ink)


def _pad(size_px: int) -> int:
    return round(0.45 * size_px)


# A plate is some 35 kB in a frame of 640×480, and every new face brings new ones with its number.
@lru_cache(maxsize=64)
def _word_plate(word: str, color: Color | None, scored: bool, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a plate as `_plate` does, but as uint8, with room for a percentage if it is scored."""
    with _font_lock:
        font = ImageFont.load_default(size_px)
        word_wide, percent_wide = round(font.getlength(word)), round(font.getlength("100 %"))
        pad, gap, tall = _pad(size_px), round(0.4 * size_px), round(1.5 * size_px)
        swatch = round(0.55 * size_px)
        wide = pad + swatch + gap + word_wide + (gap + percent_wide if scored else 0) + pad
        ink = Image.new("RGB", (wide, tall), INK_BGR)
        ImageDraw.Draw(ink).text((pad + swatch + gap, tall / 2 + 0.36 * size_px), word, WORD_BGR, font, anchor="ls")
    plate = np.array(ink)  # its channels were given as BGR all along
    top = (tall - swatch) / 2
    path = _fixed(_rounded(np.array([pad, top, pad + swatch, top + swatch]) - 0.5, radius=0.25 * swatch))
    if color is None:
        cv2.polylines(plate, [path], True, _OUTLINE_BGR, max(1, size_px // 13), cv2.LINE_AA, _SUBPIXEL_BITS)
    else:
        cv2.fillPoly(plate, [path], color, cv2.LINE_AA, _SUBPIXEL_BITS)
    fine = np.zeros((4 * tall, 4 * wide), np.float32)  # drawn large and shrunk: corners without steps
    cv2.fillPoly(
        fine,
        [_fixed(_rounded(np.array([0, 0, 4 * wide - 1, 4 * tall - 1]), radius=1.2 * tall))],
        PLATE_ALPHA,
        cv2.LINE_8,
        _SUBPIXEL_BITS,
    )
    return plate, cv2.resize(fine, (wide, tall), interpolation=cv2.INTER_AREA)[..., None]


def _fixed(points: np.ndarray) -> np.ndarray:
    """Return points as the fixed-point numbers OpenCV draws between pixels with."""
    return np.round(points * 2**_SUBPIXEL_BITS).astype(np.int32)
