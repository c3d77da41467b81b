"""A small set of faces drawn by this project, so that a fresh machine has something to explore and train on.

They are drawings, not photographs and not FER-2013: accuracy on them says nothing about real faces.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import cv2
import numpy as np

from fer_core.data.face_set import FaceSet, Provenance
from fer_core.emotions import LABELS
from fer_core.face_size import FACE_SIZE

_CANVAS = 4 * FACE_SIZE  # drawn large, then averaged down
_SHIFT = 4  # cv2 takes coordinates as integers of 1/16 pixel

# Share of each emotion in LABELS' order: uneven as in FER-2013, but with enough of the rarest to learn from.
_SHARES = np.array([0.14, 0.06, 0.14, 0.24, 0.16, 0.16, 0.10])


@dataclass(frozen=True)
class _Features:
    """What moves in a face; lengths in half face heights; the defaults are a face at rest.

    brow_up raises both brows, brow_tilt lifts their inner ends, mouth_curve lifts the corners,
    mouth_open parts the lips, lip_up lifts the upper lip, wrinkle draws the nose together.
    """

    brow_up: float = 0.0
    brow_tilt: float = 0.0
    eye_open: float = 1.0
    mouth_curve: float = 0.02
    mouth_open: float = 0.0
    mouth_width: float = 1.0
    lip_up: float = 0.0
    wrinkle: float = 0.0


_REST = np.array(astuple(_Features()))
_EXPRESSIONS = {
    "angry": _Features(brow_up=-0.09, brow_tilt=-0.17, eye_open=0.75, mouth_curve=-0.07, mouth_width=0.85),
    "disgusted": _Features(
        brow_up=-0.08,
        brow_tilt=-0.05,
        eye_open=0.45,
        mouth_curve=-0.12,
        mouth_open=0.08,
        mouth_width=0.9,
        lip_up=0.13,
        wrinkle=1.0,
    ),
    "fearful": _Features(
        brow_up=0.07, brow_tilt=0.13, eye_open=1.45, mouth_curve=-0.05, mouth_open=0.13, mouth_width=1.15
    ),
    "happy": _Features(brow_up=0.02, eye_open=0.8, mouth_curve=0.19, mouth_open=0.08, mouth_width=1.25),
    "neutral": _Features(),
    "sad": _Features(brow_tilt=0.16, eye_open=0.7, mouth_curve=-0.15, mouth_width=0.85),
    "surprised": _Features(brow_up=0.14, eye_open=1.5, mouth_open=0.3, mouth_width=0.62),
}
_JITTER = np.array([0.025, 0.03, 0.12, 0.03, 0.02, 0.1, 0.015, 0.1])


def demo_set(count: int = 2000, seed: int = 0) -> FaceSet:
    """Draw `count` faces in the splits Training (80 %), PublicTest and PrivateTest (10 % each).

    Args:
        count: number of faces, at least 70, so that each split has every emotion.
        seed: of everything that varies; the same seed draws the same faces.
    """
    if count < 70:
        raise ValueError(f"count must be at least 70, got {count}")
    rng = np.random.default_rng(seed)
    test = count // 10
    split = np.repeat(np.array([0, 1, 2], np.uint8), [count - 2 * test, test, test])
    labels = np.concatenate([_labels(int(np.sum(split == s)), rng) for s in range(3)])
    images = np.stack([_draw(LABELS[label], rng) for label in labels])
    note = f"These {count:,} faces were drawn by this project. They are not photographs and not FER-2013."
    return FaceSet(images, labels, split, source=Provenance(name="demo", kind="demo", synthetic=True, notes=(note,)))


def _labels(count: int, rng: np.random.Generator) -> np.ndarray:
    ends = np.round(np.cumsum(_SHARES) * count).astype(int)
    return rng.permutation(np.searchsorted(ends, np.arange(count), side="right")).astype(np.int64)


def _draw(emotion: str, rng: np.random.Generator) -> np.ndarray:
    """Return one face, uint8 (48, 48)."""
    strength = rng.uniform(0.35, 1.1)
    target = np.array(astuple(_EXPRESSIONS[emotion]))
    face = _Features(*(_REST + strength * (target - _REST) + rng.normal(0, 1, len(_REST)) * _JITTER))
    skin, ground = rng.uniform(70, 225), rng.uniform(15, 240)
    pen = _Pen(rng, dark=skin * rng.uniform(0.15, 0.4), ground=ground)
    _draw_head(pen, rng, skin)
    for side in (-1, 1):
        _draw_eye(pen, face, side, skin)
        _draw_brow(pen, face, side)
    _draw_nose(pen, face, skin)
    _draw_mouth(pen, face, skin)
    return _photograph(pen.canvas, rng)


class _Pen:
    """Draws in face coordinates (origin between nose and eyes, y down, chin at 1) on a tilted, shifted canvas."""

    def __init__(self, rng: np.random.Generator, dark: float, ground: float) -> None:
        self.canvas = np.full((_CANVAS, _CANVAS), round(ground), np.uint8)
        self.dark = dark
        angle, size = rng.normal(0, 0.13), _CANVAS * rng.uniform(0.38, 0.5)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        self._matrix = turn * size @ np.diag([rng.uniform(0.9, 1.05), 1])
        self._center = _CANVAS / 2 + rng.normal(0, _CANVAS * 0.025, 2)
        self._yaw = rng.normal(0, 0.16)  # features slide sideways over the head

    def place(self, points: np.ndarray, depth: float = 1.0) -> np.ndarray:
        """Return face coordinates (n, 2) as cv2's fixed-point pixels; `depth` 0 stays when the head turns."""
        moved = points + (self._yaw * depth, 0.0)
        return np.round((moved @ self._matrix.T + self._center) * (1 << _SHIFT)).astype(np.int32)[None]

    def fill(self, points: np.ndarray, shade: float, depth: float = 1.0) -> None:
        cv2.fillPoly(self.canvas, self.place(points, depth), shade, cv2.LINE_AA, _SHIFT)

    def line(self, points: np.ndarray, shade: float, width: float) -> None:
        cv2.polylines(self.canvas, self.place(points), False, shade, max(1, round(width)), cv2.LINE_AA, _SHIFT)


def _ellipse(x: float, y: float, rx: float, ry: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def _arc(left: tuple[float, float], right: tuple[float, float], bend: float) -> np.ndarray:
    """Return a parabola from `left` to `right` whose middle lies `bend` lower than the straight line."""
    t = np.linspace(0, 1, 16)[:, None]
    return np.array(left) * (1 - t) + np.array(right) * t + bend * 4 * t * (1 - t) * [0.0, 1.0]


def _draw_head(pen: _Pen, rng: np.random.Generator, skin: float) -> None:
    hair, width, hairline = rng.uniform(10, 200), rng.uniform(0.68, 0.8), rng.uniform(-0.62, -0.5)
    pen.fill(_ellipse(0, -0.18, width + rng.uniform(0.03, 0.2), 0.95), hair, depth=0)
    pen.fill(_ellipse(0, 0.08, width, 0.96), skin, depth=0.2)
    crown = _ellipse(0, 0.08, width + 0.02, 0.98)
    crown = crown[crown[:, 1] < hairline]
    pen.fill(
        np.concatenate([crown, _arc(tuple(crown[-1]), tuple(crown[0]), rng.uniform(-0.25, 0.12))]), hair, depth=0.2
    )


def _draw_eye(pen: _Pen, face: _Features, side: int, skin: float) -> None:
    height = 0.075 * max(face.eye_open, 0.12)
    pen.fill(_ellipse(0.31 * side, -0.13, 0.15, height), min(255.0, skin * 0.5 + 130))
    pen.fill(_ellipse(0.31 * side, -0.13, min(0.065, height), min(0.07, height)), pen.dark * 0.6)
    pen.line(_arc((0.31 * side - 0.16, -0.12), (0.31 * side + 0.16, -0.12), -height * 1.1), pen.dark, 3)


def _draw_brow(pen: _Pen, face: _Features, side: int) -> None:
    inner, outer = -0.33 - face.brow_up - face.brow_tilt, -0.33 - face.brow_up + face.brow_tilt * 0.5
    pen.line(_arc((0.13 * side, inner), (0.5 * side, outer), -0.05 - max(face.brow_up, 0) * 0.3), pen.dark, 7)


def _draw_nose(pen: _Pen, face: _Features, skin: float) -> None:
    shade = skin * 0.68
    pen.line(_arc((-0.1, 0.24), (0.1, 0.24), 0.05), shade, 4)
    for side in (-1, 1):
        if face.wrinkle > 0.3:
            pen.line(_arc((0.06 * side, 0.0), (0.15 * side, 0.1), -0.02), shade, 2 + 2 * face.wrinkle)
            pen.line(_arc((0.17 * side, 0.2), (0.38 * side, 0.42), -0.04), shade, 2 + 2 * face.wrinkle)


def _draw_mouth(pen: _Pen, face: _Features, skin: float) -> None:
    half, opening = 0.29 * max(face.mouth_width, 0.3), max(face.mouth_open, 0.0)
    corner, middle = 0.55 - face.mouth_curve * 0.6, 0.55 + face.mouth_curve * 0.5
    left, right = (-half, corner), (half, corner)
    upper = _arc(left, right, middle - corner - opening * 0.45 - face.lip_up)
    lower = _arc(left, right, middle - corner + opening)
    if opening > 0.03:
        pen.fill(np.concatenate([upper, lower[::-1]]), pen.dark * 0.5)
    if opening > 0.03 and (face.mouth_curve > 0.05 or face.lip_up > 0.05):
        pen.fill(np.concatenate([upper, (upper + 0.35 * (lower - upper))[::-1]]), min(255.0, skin * 0.4 + 150))
    for lip in (upper, lower):
        pen.line(lip, skin * 0.45, 5)


def _photograph(canvas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Average the drawing down, light it from one side, blur it and add noise: uint8 (48, 48)."""
    small = cv2.resize(canvas, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
    x, y = np.meshgrid(*[np.linspace(-0.5, 0.5, FACE_SIZE, dtype=np.float32)] * 2)
    direction = rng.uniform(0, 2 * np.pi)
    small *= 1 + rng.uniform(0, 0.7) * (x * np.cos(direction) + y * np.sin(direction))
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.25, 1.1))
    contrast, brightness = rng.uniform(0.55, 1.0), rng.normal(0, 15)
    small = (small - 128) * contrast + 128 + brightness + rng.normal(0, rng.uniform(2, 9), small.shape)
    return np.clip(np.round(small), 0, 255).astype(np.uint8)
