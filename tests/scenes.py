"""Pictures of a room with faces, drawn without a photo of anybody's own."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from skimage import data

SIZE_WH = (640, 480)


def scene_drawer() -> Callable[..., np.ndarray]:
    """Return a function that draws a room with faces: draw((x, y, side), ...) -> uint8 (480, 640, 3) BGR.

    Each face is scikit-image's public-domain portrait, the face centred at (x, y) with that side, in pixels.
    """
    head = cv2.cvtColor(data.astronaut()[20:220, 129:319], cv2.COLOR_RGB2BGR)
    face_xy, face_side = (95.0, 92.0), 102.0  # the face within `head`
    shade = np.linspace(70, 150, 640, dtype=np.float32) + np.linspace(0, 40, 480, dtype=np.float32)[:, None]
    room = cv2.merge([shade * 1.1, shade, shade * 0.9]).astype(np.uint8)
    cv2.rectangle(room, (40, 60), (220, 300), (60, 90, 70), -1)
    cv2.line(room, (0, 420), (639, 400), (40, 40, 60), 6)

    def draw(*faces: tuple[float, float, float]) -> np.ndarray:
        image = room.copy()
        for x, y, side in faces:
            scale = side / face_side
            place = np.array([[scale, 0, x - scale * face_xy[0]], [0, scale, y - scale * face_xy[1]]])
            shrunk = cv2.GaussianBlur(head, (0, 0), max(0.1, 0.4 / scale))
            cv2.warpAffine(shrunk, place, SIZE_WH, dst=image, borderMode=cv2.BORDER_TRANSPARENT)
        return image

    return draw
