import numpy as np
import pytest

from fer_core.evaluation.compare import compare


def scored(predicted) -> np.ndarray:
    return np.eye(3)[predicted]


def test_faces_are_sorted_by_who_is_right():
    found = compare(scored([0, 0, 1, 1]), scored([0, 1, 0, 1]), np.array([0, 0, 0, 0]))
    assert [
        np.flatnonzero(part).tolist() for part in (found.both, found.only_first, found.only_second, found.neither)
    ] == [[0], [1], [2], [3]]
    assert found.agreement == 0.5
    assert (found.difference, found.p_value) == (0, 1)


def test_mcnemar_by_hand():
    # 9 of 10 discordant faces favour the first: 2 · (1 + 10) / 2^10.
    first, second = [0] * 9 + [1] + [0] * 10, [1] * 9 + [0] + [0] * 10
    found = compare(scored(first), scored(second), np.zeros(20, int))
    assert found.p_value == pytest.approx(2 * 11 / 1024)
    assert found.more_than_chance
    assert found.difference == pytest.approx(0.4)
    assert found.difference_95[0] < 0.4 < found.difference_95[1]


def test_a_model_does_not_differ_from_itself():
    found = compare(scored([0, 1, 2]), scored([0, 1, 2]), np.array([0, 0, 0]))
    assert (found.agreement, found.p_value, found.difference_95) == (1, 1, (0, 0))
