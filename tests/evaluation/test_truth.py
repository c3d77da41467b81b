import numpy as np
import pytest

from fer_core.data.face_set import VOTE_COLUMNS, FaceSet
from fer_core.emotions import LABELS
from fer_core.evaluation.truth import Truth, answering_label_set, true_labels, truth_of, truths

HAPPY, SAD = LABELS.index("happy"), LABELS.index("sad")


def face_set(votes: np.ndarray | None) -> FaceSet:
    rows = 3
    return FaceSet(np.zeros((rows, 48, 48), np.uint8), np.full(rows, SAD), np.ones(rows, np.uint8), votes)


@pytest.fixture
def voted():
    """A face that most see happy, one with a tie, and one that nobody voted on; all are labelled sad."""
    votes = np.zeros((3, 10), np.uint8)
    votes[0, VOTE_COLUMNS.index("happiness")] = 6
    votes[0, VOTE_COLUMNS.index("sadness")] = 4
    votes[1, [VOTE_COLUMNS.index("happiness"), VOTE_COLUMNS.index("sadness")]] = 5
    return face_set(votes)


def test_ties_and_faces_without_votes_have_no_majority(voted):
    assert true_labels(voted, np.arange(3), Truth.MAJORITY).tolist() == [HAPPY, -1, -1]
    assert true_labels(voted, np.arange(3), Truth.LABELS).tolist() == [SAD] * 3


def test_what_most_people_saw_comes_first_where_votes_are_there(voted):
    assert truths(voted, np.arange(3)) == (Truth.MAJORITY, Truth.LABELS)
    assert truths(voted, np.array([1, 2])) == (Truth.LABELS,)
    assert truths(face_set(None), np.arange(3)) == (Truth.LABELS,)


def test_without_votes_there_is_no_majority_to_ask_for():
    with pytest.raises(ValueError, match="no votes"):
        true_labels(face_set(None), np.arange(3), Truth.MAJORITY)


@pytest.mark.parametrize(
    "label_sets, truth, answering",
    [
        (("people", "fer", "votes"), Truth.MAJORITY, "people"),
        (("people", "fer", "votes"), Truth.LABELS, "fer"),
        (("fer", "votes"), Truth.MAJORITY, "votes"),
        (("votes",), Truth.LABELS, "votes"),
    ],
)
def test_the_label_set_made_for_a_truth_answers_for_it(label_sets, truth, answering):
    assert answering_label_set(label_sets, truth) == answering
    assert truth_of(answering) is truth or len(label_sets) == 1
