"""The clip that Chromium takes for a camera: one face, panned and zoomed.

Made from scikit-image's astronaut, a photo by NASA in the public domain.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from skimage import data

SIZE_WH = (640, 480)
# The left edge is white and the right one black, so that a mirrored picture can be told.
EDGE_PX = 40


def astronaut_bgr() -> np.ndarray:
    """Return the photo, uint8 (512, 512, 3)."""
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


def write_mjpeg(path: Path, seconds: float = 6.0, fps: int = 15) -> Path:
    """Write the clip as bare JPEG images one after the other, which is what Chromium reads as MJPEG.

    The movement is a closed curve, since Chromium plays the clip in a loop.
    """
    photo = astronaut_bgr()
    with path.open("wb") as file:
        for phase in np.linspace(0, 2 * np.pi, round(seconds * fps), endpoint=False):
            _, jpeg = cv2.imencode(".jpg", _view(photo, phase), [cv2.IMWRITE_JPEG_QUALITY, 90])
            file.write(jpeg.tobytes())
    return path


def _view(photo: np.ndarray, phase: float) -> np.ndarray:
    scale = 1.35 + 0.1 * np.cos(phase)
    center_x, center_y = 230 + 30 * np.sin(phase), 150 + 12 * np.sin(2 * phase)
    to_view = np.array([[scale, 0, SIZE_WH[0] / 2 - scale * center_x], [0, scale, SIZE_WH[1] / 2 - scale * center_y]])
    view = cv2.warpAffine(photo, to_view, SIZE_WH, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    view[:, :EDGE_PX], view[:, -EDGE_PX:] = 255, 0
    return view
