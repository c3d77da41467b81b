import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.data.resolve import open_faces
from fer_core.data.store import list_stores, write_store
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.training.config import RunConfig
from fer_core.training.loop.targets import class_weights, targets_of, true_labels, with_corrections


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
    targets, usable = targets_of(faces, RunConfig())
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
    targets, usable = targets_of(few, RunConfig(label_set="ferplus"))
    assert usable.tolist() == [True, True, False, False]
    assert targets[0, LABELS.index("happy")] == pytest.approx(2 / 3)
    assert targets[0, LABELS.index("neutral")] == pytest.approx(1 / 3)
    assert targets[1, LABELS.index("angry")] == 1


def test_both_truths_have_targets_side_by_side(faces):
    table = np.stack([votes(happiness=6, neutral=3, contempt=1), votes(NF=10), votes(), votes(fear=4, NF=6)])
    few = dataclasses.replace(
        faces, images=faces.images[:4], labels=faces.labels[:4], split=faces.split[:4], votes=table
    )
    targets, usable = targets_of(few, RunConfig(label_set="both", label_votes=4))
    people, labels, shares = np.split(targets, 3, axis=1)
    assert usable.all(), "each has a label"
    assert np.array_equal(labels.argmax(axis=1), few.labels[:4])
    # Face 0 is labelled angry: 6 votes for happy, 3 for neutral and 4 for the label.
    assert few.labels[0] == LABELS.index("angry")
    np.testing.assert_allclose(people[0, [0, 3, 4]], [4 / 13, 6 / 13, 3 / 13], rtol=1e-6)
    assert people[1].argmax() == few.labels[1] and people[1].sum() == 1, "people voted, but for no expression"
    assert not people[2].any() and not shares[2].any(), "nobody voted"
    np.testing.assert_allclose(people[3].sum(), 1)
    assert not shares[3].any(), "most say that it is no face"


def test_what_counts_as_right_is_the_label_or_the_unique_majority(faces):
    table = np.stack([votes(happiness=5, neutral=5), votes(happiness=4, neutral=3, contempt=3), votes(contempt=9)])
    few = dataclasses.replace(
        faces, images=faces.images[:3], labels=faces.labels[:3], split=faces.split[:3], votes=table
    )
    assert true_labels(few, "fer").tolist() == few.labels.tolist()
    for label_set in ("votes", "people"):
        assert true_labels(few, label_set).tolist() == [-1, LABELS.index("happy"), -1]


@pytest.mark.parametrize("label_set", ["ferplus", "both"])
def test_votes_that_are_not_there_are_asked_for(faces, label_set):
    with pytest.raises(DataError, match="no FER\\+ votes"):
        targets_of(dataclasses.replace(faces, votes=None), RunConfig(label_set=label_set))


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
