import numpy as np
import pytest

from fer_core.audit import image_stats
from fer_core.audit.image_stats import compute_image_stats


def image(black: int = 0, gray: int = 100) -> np.ndarray:
    """An image of one gray value, but for `black` pixels of 0."""
    pixels = np.full(48 * 48, gray, np.uint8)
    pixels[:black] = 0
    return pixels.reshape(48, 48)


def test_measures_are_numpys_own(drawn, monkeypatch):
    monkeypatch.setattr(image_stats, "_BLOCK", 77)
    measured = compute_image_stats(drawn.images)
    flat = drawn.images.reshape(len(drawn), -1).astype(float)
    np.testing.assert_allclose(measured.mean, flat.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(measured.std, flat.std(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("black", "gray", "all_black", "nearly_blank", "mostly_black"),
    [
        (0, 0, True, True, True),
        (0, 1, False, True, False),
        (0, 255, False, True, False),
        (576, 100, False, False, False),
        (577, 100, False, False, True),
    ],
)
def test_blank_images(black, gray, all_black, nearly_blank, mostly_black):
    measured = compute_image_stats(image(black, gray)[None])
    assert (measured.all_black[0], measured.nearly_blank[0], measured.mostly_black[0]) == (
        all_black,
        nearly_blank,
        mostly_black,
    )


def test_drawn_faces_are_not_blank(drawn):
    assert not compute_image_stats(drawn.images).nearly_blank.any()
