import numpy as np
import pytest

from fer_core.audit.label_issues import find_label_issues
from fer_core.errors import DataError

N, WRONG = 700, 40


@pytest.fixture
def scored():
    """Labels of which the first 40 of the scored rows are wrong, and scores that know the truth but for noise."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 7, N)
    rows = rng.permutation(N)[:600]
    labels = truth.copy()
    labels[rows[:WRONG]] = (truth[rows[:WRONG]] + rng.integers(1, 7, WRONG)) % 7
    probs = rng.dirichlet(np.ones(7), len(rows)) * 0.1 + 0.9 * np.eye(7)[truth[rows]]
    return labels, rows, probs.astype(np.float32), truth


def unseen() -> np.ndarray:
    return np.zeros(N, bool)


def test_wrong_labels_are_found_and_right_ones_left(scored):
    labels, rows, probs, truth = scored
    found = find_label_issues(labels, rows, probs, unseen())
    assert len(set(found.rows) & set(rows[:WRONG])) >= 0.95 * WRONG
    assert len(set(found.rows) - set(rows[:WRONG])) <= 2
    assert np.mean(found.predicted == truth[found.rows]) >= 0.95


def test_the_worst_come_first(scored):
    labels, rows, probs, _ = scored
    margin = find_label_issues(labels, rows, probs, unseen()).margin
    assert np.all(np.diff(margin) <= 0)
    assert margin.min() > 0 and margin.max() <= 1


def test_permuted_scores_give_the_same_answer(scored):
    labels, rows, probs, _ = scored
    order = np.random.default_rng(1).permutation(len(rows))
    found = find_label_issues(labels, rows, probs, unseen())
    permuted = find_label_issues(labels, rows[order], probs[order], unseen())
    np.testing.assert_array_equal(permuted.rows, found.rows)
    np.testing.assert_array_equal(permuted.predicted, found.predicted)


def test_faces_seen_in_training_are_refused(scored):
    labels, rows, probs, _ = scored
    seen = unseen()
    seen[rows[[3, 17]]] = True
    with pytest.raises(DataError, match="2 of 600 scored faces .* seen in training"):
        find_label_issues(labels, rows, probs, seen)


def test_a_label_that_no_scored_face_has_is_no_obstacle(scored):
    labels, rows, probs, _ = scored
    kept = labels[rows] != 1
    assert len(find_label_issues(labels, rows[kept], probs[kept], unseen())) > 0


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_faces_are_refused(scored, count):
    labels, rows, probs, _ = scored
    with pytest.raises(DataError, match="different labels"):
        find_label_issues(labels, rows[:count], probs[:count], unseen())
