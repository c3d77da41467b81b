from types import SimpleNamespace

import numpy as np
import pytest

from fer_core.audit.corrections import EXCLUDE
from fer_core.data.store import StoreInfo
from fer_core.emotions import LABELS
from fer_core.ui.components import corrections
from fer_core.ui.components.corrections import corrections_path, mark_faces, relabel_each


@pytest.fixture
def view(monkeypatch, tmp_path):
    """A data set of five faces that has no corrections yet."""
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    corrections_path("small").parent.mkdir(parents=True)
    return SimpleNamespace(info=StoreInfo("small", hash="0123"), faces=range(5), class_names=LABELS)


@pytest.fixture
def said(monkeypatch):
    """What the page says in passing."""
    words = []
    monkeypatch.setattr(corrections.st, "toast", words.append)
    return words


def test_what_was_marked_is_said(view, said):
    mark_faces(view, [1, 2, 3], EXCLUDE, "blank")
    relabel_each(view, np.array([0]), np.array([3]), "votes")
    assert [words.split(".")[0] for words in said] == ["3 faces excluded", "1 face relabelled"]


def test_nothing_is_said_to_be_marked_where_the_list_cannot_be_read(view, said):
    corrections_path("small").write_text("broken")
    for mark in (EXCLUDE, "happy", ""):
        mark_faces(view, [1, 2, 3], mark, "blank")
    relabel_each(view, np.array([0]), np.array([3]), "votes")
    assert said == []
    assert corrections_path("small").read_text() == "broken"
