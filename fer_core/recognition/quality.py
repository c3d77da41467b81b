"""How well a face can be seen: size, sharpness, brightness, and whether its scores are worth using.

Limits mark faces and delete none. Each stands where a model's agreement with most people had fallen by about ten points
when FER-2013's PublicTest was made so much worse; the model was an earlier `people`, of two networks, with 85 % there:

- 20 px: faces shrunk to 20 of their 48 pixels lose 7 points, to 16 px 13.
- sharpness 0.15: faces blurred with a standard deviation of 1.5 of 48 pixels lose 11 points; their median is 0.15.
- brightness 0.08: faces darkened to 0.09 with the noise of a camera lose 8 points, to 0.06 17.
- brightness 0.85: faces overexposed twofold lose 10 points; of those, the faces above 0.85 lose 13.
- a fifth outside the picture: without their lowest fifth faces lose 9 points.

Of FER-2013's 35,887 faces as they come 0.24 % are marked as bright, 0.07 % as dark and 0.04 % as blurred.

Which way a head is turned is not measured: nothing here tells a turned head from an uneven light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.types import FaceQuality

_LEVELS = 255.0
# A face with less contrast than this many gray levels shows nothing that could be sharp.
_MIN_CONTRAST = 1.0


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """From where on a face is marked as not valid; the module says how the defaults were measured.

    Attributes:
        min_size_px: smallest side of a box.
        min_sharpness: smallest sharpness.
        min_brightness: smallest brightness, 0 to 1.
        max_brightness: largest brightness, 0 to 1.
        max_cut_off: largest share of a box outside the picture, 0 to 1.
    """

    min_size_px: float = 20.0
    min_sharpness: float = 0.15
    min_brightness: float = 0.08
    max_brightness: float = 0.85
    max_cut_off: float = 0.2


DEFAULT_LIMITS = QualityLimits()


def measure_quality(
    faces: np.ndarray, xyxy: np.ndarray, size_wh: tuple[int, int], limits: QualityLimits = DEFAULT_LIMITS
) -> FaceQuality:
    """Measure how well the faces of a picture can be seen.

    Args:
        faces: uint8 (n, 48, 48), cut out along their boxes and gray, as `crop_faces` returns them.
        xyxy: (n, 4), their boxes in pixels of the picture.
        size_wh: width and height of the picture in pixels.
        limits: from where on a face is marked as not valid.
    """
    pixels = faces.astype(np.float32)
    size_px = (xyxy[:, 2:] - xyxy[:, :2]).max(axis=1, initial=0.0).astype(np.float32)
    sharpness, brightness = _sharpness(pixels), pixels.mean(axis=(1, 2)) / _LEVELS
    failures = {
        "too small": size_px < limits.min_size_px,
        "blurred": sharpness < limits.min_sharpness,
        "dark": brightness < limits.min_brightness,
        "bright": brightness > limits.max_brightness,
        "cut off": _cut_off(xyxy, size_wh) > limits.max_cut_off,
    }
    problems = tuple(tuple(name for name, fails in failures.items() if fails[i]) for i in range(len(faces)))
    return FaceQuality(size_px, sharpness, brightness, problems)


def _sharpness(pixels: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the Laplacian over that of the pixels, so that contrast does not count."""
    inside = pixels[:, 1:-1, 1:-1]
    around = pixels[:, :-2, 1:-1] + pixels[:, 2:, 1:-1] + pixels[:, 1:-1, :-2] + pixels[:, 1:-1, 2:]
    contrast = pixels.std(axis=(1, 2))
    edges = (around - 4 * inside).std(axis=(1, 2))
    return np.where(contrast < _MIN_CONTRAST, 0.0, edges / np.maximum(contrast, _MIN_CONTRAST)).astype(np.float32)


def _cut_off(xyxy: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Return the share of each box (n, 4) that lies outside the picture, 0 to 1."""
    edges = np.array([*size_wh, *size_wh], np.float32)
    inside = np.clip(xyxy, 0, edges)
    areas = (xyxy[:, 2:] - xyxy[:, :2]).prod(axis=1)
    return 1 - (inside[:, 2:] - inside[:, :2]).prod(axis=1) / np.maximum(areas, 1.0)
