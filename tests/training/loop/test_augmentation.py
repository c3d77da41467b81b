import numpy as np
import pytest

from fer_core.training.config import STANDARD_AUGMENTATION, Augmentation
from fer_core.training.loop.augmentation import augment, mix


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (40, 48, 48), np.uint8)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    "how",
    [
        Augmentation(),
        Augmentation(flip=1),
        Augmentation(rotate_deg=20),
        Augmentation(shift=0.2),
        Augmentation(scale=0.2),
        Augmentation(brightness=0.3),
        Augmentation(contrast=0.3),
        Augmentation(blur=1),
        Augmentation(noise=1),
        Augmentation(jpeg=1),
        Augmentation(erase=1),
        STANDARD_AUGMENTATION,
    ],
)
def test_faces_keep_shape_and_type_and_the_originals_stay(images, how):
    before = images.copy()
    changed = augment(images, how, rng())
    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(images, before)
    assert np.array_equal(changed, images) == (not how)


def test_the_same_seed_gives_the_same_faces_and_another_gives_others(images):
    assert np.array_equal(
        augment(images, STANDARD_AUGMENTATION, rng(1)), augment(images, STANDARD_AUGMENTATION, rng(1))
    )
    assert not np.array_equal(
        augment(images, STANDARD_AUGMENTATION, rng(1)), augment(images, STANDARD_AUGMENTATION, rng(2))
    )


def test_flip_mirrors_left_and_right(images):
    assert np.array_equal(augment(images, Augmentation(flip=1), rng()), images[:, :, ::-1])


def test_flip_mirrors_in_the_warp_too(images):
    # A turn of at most a hair's breadth goes through the warp but moves nothing.
    assert np.array_equal(augment(images, Augmentation(flip=1, rotate_deg=1e-6), rng()), images[:, :, ::-1])


def test_a_turn_moves_each_face_by_itself_and_replicates_its_own_border():
    # Flat faces of different shade stay flat unless a neighbour or a black border leaks in.
    images = np.repeat(np.arange(0, 250, 5, dtype=np.uint8), 48 * 48).reshape(-1, 48, 48)
    assert np.array_equal(augment(images, Augmentation(rotate_deg=45, shift=0.3, scale=0.3), rng()), images)


def test_many_faces_go_through_in_parts():
    images = np.repeat(np.arange(200, dtype=np.uint8), 48 * 48).reshape(-1, 48, 48)
    images = np.concatenate([images] * 5)  # 1,000 faces, 48,000 rows: more than OpenCV maps at once
    assert np.array_equal(augment(images, Augmentation(shift=0.1), rng()), images)


def test_shift_moves_no_further_than_asked():
    images = np.zeros((50, 48, 48), np.uint8)
    images[:, 24, 24] = 255
    for face in augment(images, Augmentation(shift=0.1), rng()):
        rows, columns = np.nonzero(face)
        assert abs(rows - 24).max() <= 6 and abs(columns - 24).max() <= 6


def test_some_faces_keep_their_pixels(images):
    images = np.repeat(images[:1], 400, axis=0)
    warped = augment(images, Augmentation(warp=0.75, rotate_deg=10), np.random.default_rng(0))
    assert np.mean((warped == images).all((1, 2))) == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("name", ["blur", "noise", "jpeg", "erase"])
def test_what_some_faces_have_leaves_the_others_as_they_are(name):
    images = np.random.default_rng(1).integers(0, 256, (400, 48, 48), np.uint8)
    changed = augment(images, Augmentation(**{name: 0.5}), rng())
    assert np.mean((changed == images).all((1, 2))) == pytest.approx(0.5, abs=0.08)


def test_a_blurred_face_has_less_detail(images):
    assert (
        np.abs(np.diff(augment(images, Augmentation(blur=1), rng()).astype(int))).mean((1, 2)).max()
        < np.abs(np.diff(images.astype(int))).mean((1, 2)).min()
    )


def test_noise_has_no_mean_and_stays_within_its_limit():
    images = np.full((200, 48, 48), 128, np.uint8)
    noise = augment(images, Augmentation(noise=1), rng()).astype(float) - 128
    assert abs(noise.mean()) < 0.1
    assert noise.std((1, 2)).max() < 0.042 * 255 and noise.std((1, 2)).min() < 0.01 * 255


def test_erasing_covers_a_rectangle_of_the_chosen_share():
    images = np.zeros((400, 48, 48), np.uint8)
    erased = augment(images, Augmentation(erase=0.5), rng()).any(axis=(1, 2))
    assert 0.4 < erased.mean() < 0.6


def test_brightness_and_contrast_stay_within_their_limits():
    images = np.full((100, 48, 48), 100, np.uint8)
    changed = augment(images, Augmentation(brightness=0.1, contrast=0.5), rng()).astype(int)
    assert changed.min() >= 100 - 26 and changed.max() <= 100 + 26
    assert len(np.unique(changed)) > 10


def test_mixing_keeps_targets_a_distribution_and_mixes_faces_alike(images):
    targets = np.eye(7, dtype=np.float32)[np.arange(40) % 7]
    faces = np.broadcast_to(targets.argmax(axis=1)[:, None, None], (40, 48, 48)).astype(np.uint8)
    mixed, mixed_targets = mix(faces, targets, 0.4, rng())
    assert mixed.dtype == mixed_targets.dtype == np.float32
    assert np.allclose(mixed_targets.sum(axis=1), 1)
    assert np.allclose(mixed[:, 0, 0], mixed_targets @ np.arange(7), atol=1e-5)
    assert not np.allclose(mixed_targets, targets)
