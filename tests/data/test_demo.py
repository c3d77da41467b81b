"""The drawn faces: seeded, in three splits, telling seven expressions apart but not by their mean pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from sklearn.base import ClassifierMixin
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier

from fer_core.data.demo import demo_set
from fer_core.data.face_set import FaceSet


def test_one_seed_draws_one_set(faces: FaceSet) -> None:
    assert demo_set(300, seed=7).hash == faces.hash != demo_set(300, seed=8).hash


def test_every_split_has_every_emotion() -> None:
    counts = demo_set(70).counts()
    assert tuple(counts) == ("Training", "PublicTest", "PrivateTest")
    assert sum(sum(split.values()) for split in counts.values()) == 70
    assert min(counts["Training"].values()) > 0


def test_they_say_that_they_are_drawn(faces: FaceSet) -> None:
    assert faces.source.synthetic and "not FER-2013" in faces.source.notes[0]


def test_no_face_is_drawn_twice(faces: FaceSet) -> None:
    assert len(np.unique(faces.images.reshape(len(faces), -1), axis=0)) == len(faces)


def test_too_few_faces_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 70"):
        demo_set(69)


def test_expressions_can_be_learned_yet_are_not_given_away() -> None:
    faces = demo_set(800, seed=1)
    train, test = faces.rows_of("Training"), faces.rows_of("PublicTest", "PrivateTest")

    def accuracy(model: ClassifierMixin, features: np.ndarray) -> float:
        return model.fit(features[train], faces.labels[train]).score(features[test], faces.labels[test])

    hog = cv2.HOGDescriptor((48, 48), (16, 16), (8, 8), (8, 8), 9)
    edges = np.stack([hog.compute(image).ravel() for image in faces.images])
    assert accuracy(RidgeClassifier(), edges) > 0.45  # chance is 0.24
    assert accuracy(KNeighborsClassifier(), faces.images.reshape(len(faces), -1) / 255.0) < 0.4
