import numpy as np
import pytest

from fer_core.audit.findings import examine
from fer_core.audit.search import NOT_VOTED, ORDERS, OTHER, SUSPICIOUS, Query, find_faces
from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.emotions import LABELS


@pytest.fixture
def findings(images, drawn):
    """Row 0 is blank; people saw sad in row 1 and contempt in row 2, nobody looked at row 3; all others are neutral."""
    blank = images.copy()
    blank[0] = 0
    votes = np.zeros((len(images), len(VOTE_COLUMNS)), np.uint8)
    votes[:, VOTE_COLUMNS.index("neutral")] = 10
    votes[1:4] = 0
    votes[1, VOTE_COLUMNS.index("sadness")] = 10
    votes[2, VOTE_COLUMNS.index("contempt")] = 10
    return examine(blank, drawn.labels, drawn.split, votes)


def test_no_filter_finds_all_in_row_order(findings):
    np.testing.assert_array_equal(find_faces(findings, Query()), np.arange(300))


def test_filters_narrow_each_other(findings):
    rows = find_faces(findings, Query(splits=("PublicTest", "PrivateTest"), labels=("happy", "sad")))
    expected = (findings.split > 0) & np.isin(findings.labels, [LABELS.index("happy"), LABELS.index("sad")])
    np.testing.assert_array_equal(rows, np.flatnonzero(expected))


@pytest.mark.parametrize("seen, expected", [("sad", [1]), (OTHER, [2]), ("fearful", []), (NOT_VOTED, [3])])
def test_what_people_saw(findings, seen, expected):
    assert find_faces(findings, Query(seen=(seen,))).tolist() == expected


def test_without_votes_nobody_saw_anything(images, drawn):
    findings = examine(images, drawn.labels, drawn.split)
    assert len(find_faces(findings, Query(seen=(*LABELS, OTHER)))) == 0
    assert len(find_faces(findings, Query(seen=(NOT_VOTED,)))) == 300


def test_a_tie_is_something_else(findings):
    findings.votes[1, 0] = 10  # as many as for sad
    assert find_faces(findings, Query(seen=(OTHER,))).tolist() == [1, 2]


def test_suspicious_and_others_are_all(findings):
    some, others = (find_faces(findings, Query(suspicious=wanted)) for wanted in (True, False))
    assert (findings.issue_score.score[some] >= SUSPICIOUS).all()
    np.testing.assert_array_equal(np.union1d(some, others), np.arange(300))


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_shows_each_face_once(findings, order):
    np.testing.assert_array_equal(np.sort(find_faces(findings, Query(order=order))), np.arange(300))


def test_orders_begin_with_the_darkest_flattest_and_most_suspicious(findings):
    assert find_faces(findings, Query(order="brightness"))[0] == 0
    assert find_faces(findings, Query(order="contrast"))[0] == 0
    score = findings.issue_score.score
    assert score[find_faces(findings, Query(order="issue_score"))[0]] == score.max()


def test_a_shuffle_is_its_seed_s_and_keeps_its_order_under_a_filter(findings):
    every = find_faces(findings, Query(order="shuffled", seed=3)).tolist()
    assert every == find_faces(findings, Query(order="shuffled", seed=3)).tolist()
    assert every != find_faces(findings, Query(order="shuffled", seed=4)).tolist()
    happy = find_faces(findings, Query(labels=("happy",), order="shuffled", seed=3)).tolist()
    assert happy == [row for row in every if row in set(happy)]


def test_an_unknown_order_is_refused(findings):
    with pytest.raises(ValueError, match="order must be one of"):
        find_faces(findings, Query(order="beauty"))
