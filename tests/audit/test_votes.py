import numpy as np
import pytest

from fer_core.audit.votes import (
    agreement,
    contradict_strongly,
    disagree,
    leading_column,
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
    ("count", "column"),
    [
        ({"fear": 6, "sadness": 4}, "fear"),
        ({"fear": 5, "sadness": 5}, "sadness"),
        ({"NF": 5, "neutral": 5}, "neutral"),
        ({"contempt": 4, "anger": 3, "NF": 3}, "contempt"),
    ],
)
def test_the_first_of_equal_columns_leads(count, column):
    assert VOTE_COLUMNS[leading_column(votes(**count))[0]] == column


def test_nobody_leads_where_nobody_voted():
    assert leading_column(votes()).tolist() == [-1]


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


def test_disagree_is_the_complement_of_agreement_where_people_voted():
    rng = np.random.default_rng(0)
    cast, labels = rng.multinomial(10, np.ones(10) / 10, 500).astype(np.uint8), rng.integers(0, 7, 500)
    assert agreement(cast, labels) == pytest.approx(1 - disagree(cast, labels).mean())


def test_agreement_of_no_faces_is_not_a_number():
    assert np.isnan(agreement(np.empty((0, 10), np.uint8), np.empty(0, int)))
