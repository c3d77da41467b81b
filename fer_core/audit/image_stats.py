"""Brightness and contrast of images, and which of them show nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEARLY_BLANK_STD = 10.0
MOSTLY_BLACK_SHARE = 0.25
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class ImageStats:
    """Brightness and contrast of n images.

    Attributes:
        mean: float32 (n,), brightness, 0 (black) to 255 (white).
        std: float32 (n,), standard deviation of the pixels: contrast, 0 to 127.5.
        black: float32 (n,), share of the pixels that are 0, from 0 to 1.
    """

    mean: np.ndarray
    std: np.ndarray
    black: np.ndarray

    @property
    def all_black(self) -> np.ndarray:
        """bool (n,), images without any pixel above 0."""
        return self.black == 1

    @property
    def nearly_blank(self) -> np.ndarray:
        """bool (n,), images of so little contrast that no face can be made out; the all black ones among them."""
        return self.std < NEARLY_BLANK_STD

    @property
    def mostly_black(self) -> np.ndarray:
        """bool (n,), images with more than a quarter of pixels at 0: cut off, framed or blank."""
        return self.black > MOSTLY_BLACK_SHARE


def compute_image_stats(images: np.ndarray) -> ImageStats:
    """Measure images, uint8 (n, h, w), one by one."""
    mean, std, black = (np.empty(len(images), np.float32) for _ in range(3))
    for start in range(0, len(images), _BLOCK):
        part = slice(start, start + _BLOCK)
        block = np.asarray(images[part])
        mean[part] = block.mean(axis=(1, 2))
        std[part] = block.std(axis=(1, 2))
        black[part] = (block == 0).mean(axis=(1, 2))
    return ImageStats(mean, std, black)
