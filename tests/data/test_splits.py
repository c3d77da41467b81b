"""Validation held out of Training: stratified, seeded, and no image on both sides."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.splits import with_validation
from fer_core.errors import DataError

VALIDATION = SPLITS.index("Validation")


def test_each_expression_gives_its_share(faces: FaceSet) -> None:
    before, after = faces.counts()["Training"], with_validation(faces, 0.25).counts()
    for label, count in before.items():
        assert after["Validation"][label] == round(0.25 * count)
        assert after["Training"][label] + after["Validation"][label] == count


def test_the_tests_stay_as_they_are(faces: FaceSet) -> None:
    after = with_validation(faces)
    np.testing.assert_array_equal(after.split[faces.split > 0], faces.split[faces.split > 0])
    assert after.images is faces.images and after.hash != faces.hash
    assert "23 of the 240 training images" in after.source.notes[-1]


def test_one_seed_makes_one_choice(faces: FaceSet) -> None:
    first, same, other = (with_validation(faces, seed=seed).split for seed in (0, 0, 1))
    assert np.array_equal(first, same) and not np.array_equal(first, other)


def test_copies_stay_on_one_side(faces: FaceSet) -> None:
    images = np.concatenate([faces.images] * 3)
    labels = np.concatenate([faces.labels, faces.labels, np.roll(faces.labels, 1)])  # some copies conflict
    copies = FaceSet(images, labels, np.zeros(900, np.uint8))
    split = with_validation(copies, 0.2).split.reshape(3, 300)
    assert (split == split[0]).all() and 0.15 < np.mean(split == VALIDATION) < 0.25


def test_a_second_time_is_refused(faces: FaceSet) -> None:
    with pytest.raises(DataError, match="already has a Validation split"):
        with_validation(with_validation(faces))


def test_without_training_there_is_nothing_to_split(faces: FaceSet) -> None:
    tests = dataclasses.replace(faces, split=np.ones(300, np.uint8))
    with pytest.raises(DataError, match="no images in Training"):
        with_validation(tests)
