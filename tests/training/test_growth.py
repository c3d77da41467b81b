"""Faces that begin small and grow, and pairs that are mixed only at first."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from fer_core.errors import RunError
from fer_core.training.config import RunConfig
from fer_core.training.loop.augmentation import resize
from fer_core.training.loop.batches import Batches
from fer_core.training.run.folder import RunStatus, best_epoch
from fer_core.training.timing.eta import estimate_eta

GROWING = RunConfig(architecture="small-cnn", epochs=10, batch_size=8, initial_size=32, progressive_resizing=0.8)


def test_faces_grow_in_equal_spans_until_they_are_whole():
    assert [GROWING.size_at(epoch) for epoch in range(10)] == [32] * 4 + [40] * 4 + [48] * 2


@pytest.mark.parametrize("progressive_resizing", [0.0, 0.8, 1.0])
def test_faces_that_begin_whole_stay_so(progressive_resizing):
    config = dataclasses.replace(GROWING, initial_size=48, progressive_resizing=progressive_resizing)
    assert {config.size_at(epoch) for epoch in range(10)} == {48}
    assert config.relative_cost == 1


def test_small_faces_cost_less_in_proportion_to_their_pixels():
    assert GROWING.relative_cost == pytest.approx((4 * 32**2 + 4 * 40**2 + 2 * 48**2) / (10 * 48**2))


def test_a_network_of_one_size_cannot_begin_smaller():
    with pytest.raises(RunError, match="48 pixels only"):
        dataclasses.replace(GROWING, architecture="seed-cnn")


@pytest.mark.parametrize(("epoch", "size"), [(0, 32), (4, 40), (9, 48)])
def test_batches_have_the_size_of_their_epoch(epoch, size):
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48), np.uint8)
    batches = Batches(images, np.eye(7, dtype=np.float32)[np.arange(8) % 7], GROWING, epoch)
    assert batches[0][0].shape == (8, size, size, 1)


def test_a_smaller_face_keeps_its_brightness():
    image = np.random.default_rng(0).integers(0, 256, (1, 48, 48), np.uint8)
    small = resize(image, 24)
    # Each pixel is the mean of the four it covers.
    np.testing.assert_allclose(small[0], image[0].reshape(24, 2, 24, 2).mean(axis=(1, 3)), atol=0.51)


def test_pairs_are_mixed_only_in_the_first_share_of_epochs():
    config = dataclasses.replace(GROWING, mixup=0.5, mixup_share=0.7)
    assert [config.mixes_at(epoch) for epoch in range(10)] == [True] * 7 + [False] * 3
    images, targets = np.zeros((8, 48, 48), np.uint8), np.eye(7, dtype=np.float32)[np.arange(8) % 7]
    hard = [bool(np.isin(Batches(images, targets, config, epoch)[0][1], (0, 1)).all()) for epoch in (0, 9)]
    assert hard == [False, True]


def test_only_epochs_with_the_largest_faces_can_be_the_best():
    history = pd.DataFrame({"val_accuracy": [0.5, 0.9, 0.6, 0.7], "size": [32, 32, 48, 48]})
    assert best_epoch(history) == 3


def test_time_left_counts_that_larger_faces_take_longer():
    status = RunStatus("running", 1, 0.0, steps_per_epoch=10)
    history = pd.DataFrame({"epoch": range(4), "val_accuracy": 0.5, "seconds": 10.0})
    left = estimate_eta(GROWING, status, history, pd.DataFrame(columns=["epoch", "step", "seconds"])).left_s
    assert left == pytest.approx(10 * (4 * 40**2 + 2 * 48**2) / 32**2)
