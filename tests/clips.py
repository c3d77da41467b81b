"""Clips with keyframes at short distances, as cameras write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np


def encode(
    path: Path,
    images: Sequence[np.ndarray] | None = None,
    rate: int = 25,
    times: Sequence[int] | None = None,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    file: Any = None,
) -> Path:
    """Write a video with a keyframe in 20 frames, by default of moving noise whose shade tells a frame's number.

    Args:
        path: file to write, in the format of its name.
        images: uint8 (h, w, 3) each.
        rate: frames a second.
        times: of each frame, in parts of a second by `rate`.
        codec: name of an encoder.
        options: of the encoder.
        file: written to as Matroska instead of `path`.
    """
    noise = np.random.default_rng(0).integers(0, 200, (64, 96, 3), np.uint8)
    images = images or [np.roll(noise, index, axis=1) + index % 50 for index in range(150)]
    with av.open(file or str(path), "w", format="matroska" if file else None) as container:
        stream = container.add_stream(codec, rate=rate, options=dict(options or {}))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt, stream.gop_size = "yuv420p", 20
        stream.codec_context.time_base = Fraction(1, rate)
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = (times[index] if times else index), Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def walking_faces(draw: Callable[..., np.ndarray], count: int = 50) -> list[np.ndarray]:
    """Return pictures of 320 x 240 with a face throughout, one that goes away after 29, and one that comes after 42."""
    images = []
    for i in range(count):
        second = [(480, 200 + 2 * i, 130)] if i < 29 else []
        third = [(470 - i, 130, 120)] if i > 42 else []
        images.append(cv2.resize(draw((150 + 2 * (i % 100), 240, 140), *second, *third), (320, 240)))
    return images
