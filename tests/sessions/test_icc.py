"""Intraclass correlations against published figures."""

import numpy as np
import pytest

from fer_core.errors import SessionError
from fer_core.sessions.icc import intraclass_correlation

# Shrout and Fleiss (1979), table 2: six targets, four judges.
_SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def rounded(coefficient):
    return round(coefficient.value, 2), round(coefficient.low, 2), round(coefficient.high, 2)


def test_the_example_of_shrout_and_fleiss():
    result = intraclass_correlation(np.array(_SHROUT_FLEISS))
    assert (result.targets, result.raters) == (6, 4)
    # The values are those of their table 4; the intervals those that R's psych::ICC gives for it.
    assert rounded(result.one_way) == (0.17, -0.13, 0.72)
    assert rounded(result.agreement) == (0.29, 0.02, 0.76)
    assert rounded(result.consistency) == (0.71, 0.34, 0.95)


def test_two_raters_of_many_targets():
    noise = np.random.default_rng(6).normal(0, 0.5, (40, 2))
    result = intraclass_correlation(np.random.default_rng(5).normal(size=(40, 1)) + noise + [0, 0.3])
    # What pingouin 0.7.0's intraclass_corr gives.
    assert rounded(result.one_way) == (0.74, 0.56, 0.85)
    assert rounded(result.agreement) == (0.76, 0.22, 0.9)
    assert rounded(result.consistency) == (0.85, 0.74, 0.92)
    assert result.agreement.value == pytest.approx(0.755903, abs=1e-6)


def test_equal_ratings_agree_wholly_and_a_distance_counts_for_agreement_alone():
    values = np.array([0.1, 0.5, 0.9, 0.3])
    same = intraclass_correlation(np.stack([values, values], axis=1))
    assert same.one_way.value == same.agreement.value == same.consistency.value == 1.0
    apart = intraclass_correlation(np.stack([values, values + 0.4], axis=1))
    assert apart.consistency.value == 1.0 and apart.agreement.value < 0.7
    assert apart.agreement.low < apart.agreement.value < apart.agreement.high


def test_where_nothing_varies_there_is_no_coefficient():
    result = intraclass_correlation(np.full((5, 2), 0.3))
    assert result.one_way.value is result.agreement.value is result.consistency.value is None


@pytest.mark.parametrize("ratings", [np.ones((2, 2)), np.ones((5, 1)), np.array([[1, 2], [2, np.nan], [3, 3]])])
def test_too_few_ratings_are_refused_in_words(ratings):
    with pytest.raises(SessionError, match="at least 3 targets"):
        intraclass_correlation(ratings)
