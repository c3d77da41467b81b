import numpy as np
import pytest

from fer_core.audit.suspicion import Suspicion


@pytest.fixture
def suspicion() -> Suspicion:
    return Suspicion.of({"blank": np.array([0, 1, 0, 0]), "copy": np.array([0.2, 0.2, 0, 0.2]),
                         "votes disagree": np.array([0.5, 0, 0, 0])})


def test_more_reasons_weigh_more_and_none_passes_one(suspicion):
    assert suspicion.score == pytest.approx([0.6, 1, 0, 0.2])


def test_reasons_are_named_the_strongest_first(suspicion):
    assert [suspicion.reasons(row) for row in range(4)] == [
        ("votes disagree", "copy"), ("blank", "copy"), (), ("copy",)]


def test_order_is_the_most_suspicious_first(suspicion):
    assert suspicion.order.tolist() == [1, 0, 3, 2]


def test_permuted_rows_permute_the_score():
    rng = np.random.default_rng(0)
    strengths, order = {name: rng.random(50) for name in "abc"}, rng.permutation(50)
    permuted = Suspicion.of({name: strength[order] for name, strength in strengths.items()})
    np.testing.assert_array_equal(permuted.score, Suspicion.of(strengths).score[order])
