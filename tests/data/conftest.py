"""Fixtures of the data layer: a few hundred drawn faces."""

from __future__ import annotations

import pytest

from fer_core.data.demo import demo_set
from fer_core.data.face_set import FaceSet
from tests.data.forms import csv_table


@pytest.fixture(scope="session")
def faces() -> FaceSet:
    """Three hundred drawn faces in three splits."""
    return demo_set(300, seed=7)


@pytest.fixture(scope="session")
def table(faces: FaceSet) -> bytes:
    """The same faces as fer2013.csv holds them."""
    return csv_table(faces)
