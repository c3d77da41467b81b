import numpy as np
import pytest

from fer_core.audit.issue_score import IssueScore


@pytest.fixture
def issue_score() -> IssueScore:
    return IssueScore.of(
        {
            "blank": np.array([0, 1, 0, 0]),
            "copy": np.array([0.2, 0.2, 0, 0.2]),
            "votes disagree": np.array([0.5, 0, 0, 0]),
        }
    )


def test_more_reasons_weigh_more_and_none_passes_one(issue_score):
    assert issue_score.score == pytest.approx([0.6, 1, 0, 0.2])


def test_reasons_are_named_the_strongest_first(issue_score):
    assert [issue_score.reasons(row) for row in range(4)] == [
        ("votes disagree", "copy"),
        ("blank", "copy"),
        (),
        ("copy",),
    ]


def test_order_is_the_most_suspicious_first(issue_score):
    assert issue_score.order.tolist() == [1, 0, 3, 2]


def test_permuted_rows_permute_the_score():
    rng = np.random.default_rng(0)
    strengths, order = {name: rng.random(50) for name in "abc"}, rng.permutation(50)
    permuted = IssueScore.of({name: strength[order] for name, strength in strengths.items()})
    np.testing.assert_array_equal(permuted.score, IssueScore.of(strengths).score[order])
