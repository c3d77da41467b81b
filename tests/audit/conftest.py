"""Drawn faces with faults put in on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.demo import demo_set
from fer_core.data.face_set import FaceSet


@pytest.fixture(scope="session")
def drawn() -> FaceSet:
    """Three hundred drawn faces, all different and none too faint to see."""
    faces = demo_set(320, seed=3)
    rows = np.flatnonzero(faces.images.std(axis=(1, 2)) > 15)[:300]
    return FaceSet(faces.images[rows], faces.labels[rows], faces.split[rows])


@pytest.fixture
def images(drawn) -> np.ndarray:
    """The drawn faces with rows 5, 9 and 200 the same, and 7 and 8 the same."""
    images = drawn.images.copy()
    images[[9, 200]] = images[5]
    images[8] = images[7]
    return images
