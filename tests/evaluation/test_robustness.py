import numpy as np
import pytest

from fer_core.evaluation.robustness import CORRUPTIONS, corrupt


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (8, 48, 48), np.uint8)


@pytest.mark.parametrize(
    ("name", "level"), [(name, level) for name, each in CORRUPTIONS.items() for level in each.levels if level]
)
def test_faces_stay_faces_and_the_same_seed_gives_the_same_ones(images, name, level):
    before = images.copy()
    worse = corrupt(images, name, level)
    assert (worse.shape, worse.dtype) == (images.shape, np.uint8)
    np.testing.assert_array_equal(worse, corrupt(images, name, level))
    np.testing.assert_array_equal(images, before)
    assert (worse != images).any()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_level_of_zero_changes_nothing(images, name):
    np.testing.assert_array_equal(corrupt(images, name, 0), images)


def test_brightness_multiplies():
    assert corrupt(np.full((1, 48, 48), 100, np.uint8), "brightness", -25).max() == 75


def test_a_shift_repeats_the_border(images):
    shifted = corrupt(images, "shift", 100 / 48)  # one pixel
    for before, after in zip(images, shifted, strict=True):
        moved = [
            np.pad(before, ((top, bottom), (left, right)), "edge")[bottom : 48 + bottom, right : 48 + right]
            for top, bottom, left, right in ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
        ]
        assert any(np.array_equal(after, one) for one in moved)


def test_a_larger_scale_shows_less_of_the_face():
    image = np.zeros((1, 48, 48), np.uint8)
    image[:, :3] = 255
    assert corrupt(image, "scale", 20).sum() < image.sum()
    assert corrupt(image, "scale", -20).sum() > image.sum()
