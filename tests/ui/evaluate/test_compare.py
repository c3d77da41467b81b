import numpy as np

from fer_core.evaluation.compare import compare
from fer_core.ui.evaluate.compare import difference_sentence


def sentence_of(first, second):
    found = compare(np.eye(2)[first], np.eye(2)[second], np.zeros(len(first), int))
    return difference_sentence(found, "a", "b")


def test_where_both_are_right_equally_often_nothing_is_said_of_chance():
    assert sentence_of([0, 1, 0], [1, 0, 0]) == "**a and b are right equally often.**"


def test_the_better_one_comes_first_with_its_interval_and_test():
    sentence = sentence_of([1] * 9 + [0], [0] * 9 + [1])
    assert sentence.startswith("**b is right 80.0 points more often than a** (95 % interval +")
    assert "That is **more than chance**" in sentence and "0.021 (McNemar's test)" in sentence
