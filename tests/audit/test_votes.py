import numpy as np
import pytest

from fer_core.audit.votes import (
    agreement,
    confirmed,
    contradict_strongly,
    not_a_face,
    share_against,
    unanimously_not_a_face,
    votes_for_label,
)
from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.emotions import LABELS


def votes(**count: int) -> np.ndarray:
    return np.array([[count.get(column, 0) for column in VOTE_COLUMNS]], np.uint8)


def label(name: str) -> np.ndarray:
    return np.array([LABELS.index(name)])


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("angry", "anger"),
        ("disgusted", "disgust"),
        ("fearful", "fear"),
        ("happy", "happiness"),
        ("neutral", "neutral"),
        ("sad", "sadness"),
        ("surprised", "surprise"),
    ],
)
def test_each_label_finds_its_own_votes(name, column):
    cast = votes(**{column: 7, "unknown": 3})
    assert votes_for_label(cast, label(name)).tolist() == [7]
    assert agreement(cast, label(name)) == 1


@pytest.mark.parametrize(
    ("count", "strong"),
    [
        ({"anger": 8, "fear": 2}, True),
        ({"contempt": 8, "fear": 2}, True),
        ({"anger": 7, "fear": 3}, False),
        ({"anger": 9, "happiness": 1}, False),
        ({"NF": 10}, False),
        ({"unknown": 9, "fear": 1}, False),
    ],
)
def test_strong_contradiction_of_happy(count, strong):
    assert contradict_strongly(votes(**count), label("happy")).tolist() == [strong]


@pytest.mark.parametrize(
    ("count", "leads", "everyone"),
    [
        ({"NF": 10}, True, True),
        ({"NF": 9}, True, True),
        ({"NF": 6, "neutral": 4}, True, False),
        ({"NF": 4, "neutral": 6}, False, False),
        ({"NF": 5, "neutral": 5}, False, False),
        ({}, False, False),
    ],
)
def test_not_a_face(count, leads, everyone):
    assert not_a_face(votes(**count)).tolist() == [leads]
    assert unanimously_not_a_face(votes(**count)).tolist() == [everyone]


@pytest.mark.parametrize(
    ("count", "share"),
    [
        ({"happiness": 10}, 0),
        ({"happiness": 4, "anger": 6}, 0.2),
        ({"anger": 10}, 1),
        ({"NF": 10}, 1),
        ({}, 0),
        ({"happiness": 5, "anger": 5}, 0),
    ],
)
def test_share_against_happy(count, share):
    assert share_against(votes(**count), label("happy")) == pytest.approx([share])


def test_confirmed_disputed_and_tied_are_all_faces():
    rng = np.random.default_rng(0)
    cast, labels = rng.multinomial(10, np.ones(10) / 10, 500).astype(np.uint8), rng.integers(0, 7, 500)
    own, most = votes_for_label(cast, labels), cast.max(axis=1)
    tied = (own == most) & ((cast == most[:, None]).sum(axis=1) > 1)
    disputed = share_against(cast, labels) > 0
    assert (confirmed(cast, labels).astype(int) + tied + disputed == 1).all() and tied.any()


def test_a_tie_confirms_no_label():
    assert not confirmed(votes(happiness=5, anger=5), label("happy"))[0]


def test_agreement_is_a_share_of_the_faces_voted_on():
    cast = np.concatenate([votes(happiness=10), votes(anger=10), votes(), votes()])
    assert agreement(cast, np.repeat(label("happy"), 4)) == 0.5


@pytest.mark.parametrize("cast", [np.empty((0, 10), np.uint8), votes()])
def test_agreement_of_no_votes_is_not_a_number(cast):
    assert np.isnan(agreement(cast, np.zeros(len(cast), int)))
