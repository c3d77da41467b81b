"""A small data set with faults, and runs that finish at once."""

import dataclasses

import numpy as np
import pytest

from fer_core.audit.automatic_corrections import automatic_corrections
from fer_core.audit.first_look import first_look
from fer_core.data.store import open_store, write_store
from tests.drawn_faces import demo_set


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A folder of its own for data sets, runs and comparisons."""
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def faces():
    """The data set "small", 140 drawn faces: rows 0 and 1 are black, row 2 is a copy of the last one, a test image.

    Row 98 is drawn with so little contrast that it counts as blank too.
    """
    drawn = demo_set(140, seed=1)
    images = drawn.images.copy()
    images[:2] = 0
    images[2] = images[-1]
    write_store(dataclasses.replace(drawn, images=images), "small")
    return open_store("small")


@pytest.fixture
def voted(faces):
    """The same with votes: everybody confirms the label, but for row 3, where 8 of 10 saw the next expression."""
    from fer_core.data.face_set import VOTE_COLUMNS
    from fer_core.emotions import LABELS, canonical

    column = np.array([[canonical(name) for name in VOTE_COLUMNS].index(label) for label in LABELS])
    votes = np.zeros((140, 10), np.uint8)
    votes[np.arange(140), column[faces.labels]] = 10
    votes[3] = 0
    votes[3, column[faces.labels[3]]], votes[3, column[(faces.labels[3] + 1) % 7]] = 1, 8
    write_store(dataclasses.replace(faces, votes=votes), "small")
    return open_store("small")


@pytest.fixture
def propose():
    """A function that returns the automatic corrections of faces."""
    from datetime import UTC, datetime

    when = datetime(2026, 1, 2, tzinfo=UTC)
    return lambda faces: automatic_corrections(first_look(faces).findings, faces.hash, when)
