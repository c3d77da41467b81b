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


def uniform(images: np.ndarray) -> dict[str, np.ndarray]:
    return {"fer": np.full((len(images), 7), 1 / 7, np.float32)}


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


def test_batches_do_not_depend_on_the_order_in_which_they_are_asked_for():
    """Threads make them ahead of time; a batch that is asked for again, or out of turn, is the same."""
    rng = np.random.default_rng(1)
    images, targets = rng.integers(0, 256, (60, 48, 48), np.uint8), np.eye(7, dtype=np.float32)[np.arange(60) % 7]
    config = dataclasses.replace(CONFIG, mixup=0.4, batch_size=4, epochs=3)
    batches = Batches(images, targets, config, teacher=uniform)
    expected = [Batches(images, targets, config, teacher=uniform)[i] for i in range(len(batches))]
    for index in (0, 1, 0, 14, 3, 2, *range(15)):
        for array, other in zip(batches[index], expected[index], strict=True):
            np.testing.assert_array_equal(array, other)


def test_what_was_made_ahead_for_one_epoch_is_not_used_in_another():
    images, targets = np.arange(40, dtype=np.uint8)[:, None, None] * np.ones((48, 48), np.uint8), np.eye(40)
    config = dataclasses.replace(CONFIG, teachers=(), augmentation=Augmentation(), batch_size=4)
    batches = Batches(images, np.resize(np.eye(7, dtype=np.float32), (40, 7)), config)
    batches[0]
    batches.start_epoch(1)
    np.testing.assert_array_equal(batches[1][0], Batches(images, targets[:, :7], config, epoch=1)[1][0])


BOTH = dataclasses.replace(
    CONFIG, label_set="both", label_smoothing=0.1, teacher_share=0.7, augmentation=Augmentation()
)


def test_a_teacher_teaches_the_label_sets_that_it_answers_for(faces):
    images, one_hot = faces
    targets = np.concatenate([one_hot, one_hot, one_hot], axis=1)
    taught = Batches(images, targets, BOTH, teacher=uniform)[0][1]
    np.testing.assert_array_equal(taught[:, :7], one_hot)
    np.testing.assert_array_equal(taught[:, 14:], one_hot)
    # The label is smoothed, what the teacher says is not.
    np.testing.assert_allclose(taught[:, 7], 0.3 * (0.9 + 0.1 / 7) + 0.7 / 7, rtol=1e-5)


def test_a_face_without_a_target_in_a_label_set_has_no_share_in_it(faces):
    images, one_hot = faces
    targets = np.concatenate([one_hot, one_hot, np.zeros_like(one_hot)], axis=1)

    def teacher(images: np.ndarray) -> dict[str, np.ndarray]:
        return {"votes": uniform(images)["fer"]}

    for mixup in (0.0, 0.4):
        batch = Batches(images, targets, dataclasses.replace(BOTH, mixup=mixup), teacher=teacher)[0]
        assert not batch[1][:, 14:].any()


def test_rare_expressions_are_weighed_by_the_labels(faces):
    images, one_hot = faces
    targets = np.concatenate([np.zeros_like(one_hot), one_hot, one_hot], axis=1)
    config = dataclasses.replace(BOTH, teachers=(), label_smoothing=0.0)
    weights = Batches(images, targets, config, weights=np.arange(3, 10, dtype=np.float32))[0][2]
    np.testing.assert_array_equal(weights, [3] * 8)
