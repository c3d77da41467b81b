import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.data.resolve import open_faces
from fer_core.data.store import list_stores, write_store
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.training.loop.targets import class_weights, targets_of, with_corrections


def votes(**counts: int) -> np.ndarray:
    return np.array([counts.get(column, 0) for column in VOTE_COLUMNS], np.uint8)


def test_a_stored_data_set_is_opened_by_its_name(home, faces):
    write_store(faces, "mine")
    assert open_faces("mine").hash == faces.hash


def test_the_demo_set_is_drawn_and_stored_when_it_is_first_asked_for(home):
    faces = open_faces("demo")
    assert faces.source.synthetic
    assert [store.name for store in list_stores()] == ["demo"]


def test_a_data_set_that_is_gone_is_named(home):
    with pytest.raises(DataError, match="no data set named 'gone'.*demo"):
        open_faces("gone")


def test_own_labels_become_one_hot_targets(faces):
    targets, usable = targets_of(faces, "fer")
    assert usable.all()
    assert np.array_equal(targets.argmax(axis=1), faces.labels)
    assert np.array_equal(targets.sum(axis=1), np.ones(70))


def test_votes_become_shares_and_faces_without_an_expression_are_left_out(faces):
    table = np.stack(
        [votes(happiness=6, neutral=3, contempt=1), votes(anger=5, unknown=5), votes(fear=4, NF=6), votes(NF=10)]
    )
    few = dataclasses.replace(
        faces, images=faces.images[:4], labels=faces.labels[:4], split=faces.split[:4], votes=table
    )
    targets, usable = targets_of(few, "ferplus")
    assert usable.tolist() == [True, True, False, False]
    assert targets[0, LABELS.index("happy")] == pytest.approx(2 / 3)
    assert targets[0, LABELS.index("neutral")] == pytest.approx(1 / 3)
    assert targets[1, LABELS.index("angry")] == 1


def test_votes_that_are_not_there_are_asked_for(faces):
    with pytest.raises(DataError, match="no FER\\+ votes"):
        targets_of(dataclasses.replace(faces, votes=None), "ferplus")


def test_changes_touch_only_the_splits_that_are_trained_on(faces):
    keep = np.ones(70, bool)
    keep[[0, 69]] = False  # one in Training, one in PrivateTest
    changed = with_corrections(faces, ("Training",), keep, (faces.labels + 1) % 7)
    assert len(changed) == 69
    assert np.array_equal(changed.labels[:41], (faces.labels[1:42] + 1) % 7)
    assert np.array_equal(changed.labels[41:], faces.labels[42:])
    assert np.array_equal(changed.images[0], faces.images[1]) and changed.hash != faces.hash


def test_class_weights_even_out_rare_and_frequent_expressions():
    targets = np.eye(7, dtype=np.float32)[[0] * 6 + [1] * 3 + [2]]
    weights = class_weights(targets)
    assert weights[0] * 6 == pytest.approx(weights[1] * 3) == pytest.approx(weights[2])
    assert (targets @ weights).mean() == pytest.approx(1)
    assert weights[3:].tolist() == [0] * 4
