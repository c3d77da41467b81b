import json

import numpy as np
import pytest

from fer_core.audit.findings import examine
from fer_core.audit.search import NOT_VOTED, ORDERS, OTHER, RANGES, SUSPICIOUS, Query, find_faces
from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.emotions import LABELS
from fer_core.errors import DataError


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


@pytest.fixture
def probs():
    """Scores that get surer from row to row; the prediction is angry, then disgusted, and so on in turn."""
    confidence = np.linspace(0.2, 0.9, 300, dtype=np.float32)
    scores = np.repeat(((1 - confidence) / 6)[:, None], 7, axis=1)
    scores[np.arange(300), np.arange(300) % 7] = confidence
    return scores


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_shows_each_face_once(findings, probs, order):
    np.testing.assert_array_equal(np.sort(find_faces(findings, Query(order=order), probs=probs)), np.arange(300))


def test_votes_for_the_label_are_counted_where_anybody_voted(findings):
    neutral = findings.labels == LABELS.index("neutral")
    people = np.any(findings.votes, axis=1) & neutral
    people[1:3] = False  # they saw something else
    np.testing.assert_array_equal(
        find_faces(findings, Query(label_votes=(10, 10), labels=("neutral",))), people.nonzero()[0]
    )
    assert 3 not in find_faces(findings, Query(label_votes=(0, 10)))
    assert len(find_faces(findings, Query(label_votes=(0, 10)))) == 299


def test_without_votes_no_face_has_a_number_of_votes(images, drawn):
    assert len(find_faces(examine(images, drawn.labels, drawn.split), Query(label_votes=(0, 10)))) == 0


@pytest.mark.parametrize("name", ["brightness", "contrast", "issue_score"])
def test_numeric_filters_keep_what_lies_between_and_their_widest_range_keeps_all(findings, name):
    stats = findings.image_stats
    values = {"brightness": stats.mean, "contrast": stats.std, "issue_score": findings.issue_score.score}[name]
    low, high = np.quantile(values, [0.2, 0.8])
    rows = find_faces(findings, Query(**{name: (float(low), float(high))}))
    np.testing.assert_array_equal(rows, np.flatnonzero((values >= low) & (values <= high)))
    assert len(find_faces(findings, Query(**{name: RANGES[name]}))) == 300


def test_problems_are_joined_and_unknown_ones_find_nothing(findings):
    assert find_faces(findings, Query(problems=("blank",))).tolist() == [0]
    assert find_faces(findings, Query(problems=("votes",))).size
    both = find_faces(findings, Query(problems=("blank", "votes")))
    np.testing.assert_array_equal(both, np.union1d([0], find_faces(findings, Query(problems=("votes",)))))
    assert len(find_faces(findings, Query(problems=("model",)))) == 0  # no model was asked


def test_tags_and_corrections(findings):
    tags = {"glasses": np.array([4, 9]), "hand": np.array([9, 11])}
    assert find_faces(findings, Query(tags=("glasses", "hand")), tags=tags).tolist() == [4, 9, 11]
    assert find_faces(findings, Query(tags=("gone",)), tags=tags).tolist() == []
    assert find_faces(findings, Query(corrected=True), corrected=[7, 2]).tolist() == [2, 7]
    assert len(find_faces(findings, Query(corrected=False), corrected=[7, 2])) == 298


def test_predictions_and_confidence(findings, probs):
    rows = find_faces(findings, Query(predicted=("disgusted",)), probs=probs)
    np.testing.assert_array_equal(rows, np.arange(1, 300, 7))
    sure = find_faces(findings, Query(confidence=(0.5, 0.6)), probs=probs)
    assert (np.abs(probs.max(axis=1)[sure] - 0.55) <= 0.05 + 1e-6).all() and 0 < len(sure) < 300
    assert find_faces(findings, Query(order="least_confident"), probs=probs)[0] == 0
    assert find_faces(findings, Query(order="most_confident"), probs=probs)[0] == 299


@pytest.mark.parametrize("query", [Query(predicted=("sad",)), Query(confidence=(0, 1)), Query(order="most_confident")])
def test_predictions_need_scores(findings, query):
    with pytest.raises(DataError, match="Ask the model"):
        find_faces(findings, query)


def test_a_query_survives_json():
    query = Query(("Training",), ("sad",), suspicious=False, tags=("ø",), label_votes=(0, 3), order="shuffled", seed=4)
    assert Query.from_dict(json.loads(json.dumps(query.to_dict()))) == query
    assert Query().to_dict() == {}


@pytest.mark.parametrize(
    "content",
    [
        {"beauty": 1},
        {"splits": "Training"},
        {"labels": [1]},
        {"suspicious": 1},
        {"brightness": [1]},
        {"brightness": [1, "2"]},
        {"contrast": [0, float("nan")]},
        {"order": "beauty"},
        {"seed": -1},
        {"seed": True},
    ],
)
def test_a_query_that_cannot_be_is_refused(content):
    with pytest.raises(DataError, match="cannot be used"):
        Query.from_dict(content)


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
