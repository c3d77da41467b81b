"""Targets that a teacher has a part in."""

import dataclasses

import numpy as np
import pytest

from fer_core.training.config import Augmentation, RunConfig
from fer_core.training.loop.batches import Batches

CONFIG = RunConfig(
    architecture="small-cnn",
    epochs=2,
    batch_size=8,
    teachers=("some",),
    teacher_share=0.75,
    augmentation=Augmentation(flip=0.5, brightness=0.2),
)


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, (8, 48, 48), np.uint8), np.eye(7, dtype=np.float32)[[0] * 8]


def uniform(images: np.ndarray) -> np.ndarray:
    return np.full((len(images), 7), 1 / 7, np.float32)


def test_targets_are_a_mean_of_labels_and_the_teachers_scores(faces):
    targets = Batches(*faces, CONFIG, teacher=uniform)[0][1]
    np.testing.assert_allclose(targets[:, 0], 0.25 + 0.75 / 7, rtol=1e-6)
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_the_teacher_scores_the_very_view_that_is_trained_on(faces, mixup):
    seen = []

    def teacher(images):
        seen.append(images)
        return uniform(images)

    batch = Batches(*faces, dataclasses.replace(CONFIG, mixup=mixup), teacher=teacher)[0]
    assert seen[0].dtype == np.uint8
    np.testing.assert_allclose(seen[0], batch[0][..., 0], atol=0.5)


def test_the_teacher_sees_whole_faces_while_the_student_begins_small(faces):
    shapes = []
    config = dataclasses.replace(CONFIG, initial_size=32)
    batch = Batches(*faces, config, teacher=lambda images: shapes.append(images.shape) or uniform(images))[0]
    assert (shapes, batch[0].shape) == ([(8, 48, 48)], (8, 32, 32, 1))
