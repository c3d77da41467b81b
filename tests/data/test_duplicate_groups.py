import itertools

import numpy as np
import pytest

from fer_core.data.duplicate_groups import Groups, Pairs, leaked_rows

ALONE = -1


def groups(*ids: int) -> Groups:
    return Groups(np.array(ids))


def pairs(n: int, *rows: tuple[int, int]) -> Pairs:
    first, second = np.array(rows, int).reshape(-1, 2).T
    return Pairs(first, second, np.ones(len(rows)), n)


def mask(n: int, *rows: int) -> np.ndarray:
    return np.isin(np.arange(n), rows)


def test_equal_keys_are_groups_numbered_by_first_row():
    assert Groups.of_keys(np.array([9, 4, 7, 4, 9, 9])).id.tolist() == [0, 1, ALONE, 1, 0, 0]


def test_no_rows_have_no_groups():
    empty = Groups.of_keys(np.empty(0, int))
    assert (len(empty), len(empty.surplus), len(empty.differing(np.empty(0, int)))) == (0, 0, 0)


def test_surplus_is_all_but_the_first_of_each_group():
    assert groups(0, 1, ALONE, 1, 0, 0).surplus.tolist() == [3, 4, 5]


def test_sizes():
    assert groups(0, 1, ALONE, 1, 0, 0).sizes.tolist() == [3, 2]


@pytest.mark.parametrize(("row", "rows"), [(0, [0, 4, 5]), (4, [0, 4, 5]), (2, [2])])
def test_with_row(row, rows):
    assert groups(0, 1, ALONE, 1, 0, 0).with_row(row).tolist() == rows


def test_differing_ignores_rows_that_are_alone():
    assert groups(0, 1, ALONE, 1, 0, ALONE).differing(np.array([3, 5, 1, 6, 3, 2])).tolist() == [1]


def test_shared_wants_a_row_of_both_parts_in_one_group():
    some = groups(0, 1, ALONE, 1, 0, ALONE)
    assert some.shared(of=mask(6, 3, 4, 5), among=mask(6, 0, 2)).tolist() == [4]


def test_rows_alone_share_nothing():
    assert len(groups(ALONE, ALONE).shared(of=mask(2, 0), among=mask(2, 1))) == 0


def test_pairs_are_shared_in_both_directions():
    some = pairs(6, (0, 4), (3, 5), (1, 2))
    assert some.shared(of=mask(6, 3, 4), among=mask(6, 0, 5)).tolist() == [3, 4]


def test_a_chain_of_pairs_is_not_one_group():
    """Rows 0 to 5 are frames of one film: each is like the next, the first is not like the last."""
    film = pairs(6, (0, 1), (1, 2), (2, 3), (3, 4), (4, 5))
    assert film.groups(groups(*[ALONE] * 6)).sizes.max() == 2


def test_in_a_group_every_row_is_paired_with_every_other():
    rng = np.random.default_rng(0)
    first, second = np.nonzero(np.triu(rng.random((60, 60)) < 0.3, 1))
    some = Pairs(first, second, rng.random(len(first)), 60)
    grouped = some.groups(groups(*[ALONE] * 60))
    known = set(zip(first.tolist(), second.tolist(), strict=True))
    for number in range(len(grouped)):
        assert set(itertools.combinations(grouped.rows(number).tolist(), 2)) <= known
    assert len(grouped) > 5 and grouped.sizes.max() > 3


def test_the_row_with_most_pairs_takes_those_most_like_it():
    some = Pairs(np.array([0, 0, 0, 1]), np.array([1, 2, 3, 3]), np.array([0.98, 0.99, 0.975, 0.98]), 4)
    assert some.groups(groups(*[ALONE] * 4)).id.tolist() == [0, 1, 0, 1]


def test_partners_are_found_on_both_sides():
    assert pairs(6, (0, 4), (1, 2), (4, 5)).partners(4).tolist() == [0, 5]


def test_groups_of_pairs_and_of_identical_rows_join():
    identical = groups(ALONE, 0, ALONE, 0, ALONE)
    assert pairs(5, (3, 4)).groups(identical).id.tolist() == [ALONE, 0, ALONE, 0, 0]


def test_first_rows():
    assert groups(0, 1, ALONE, 1, 0, 0).first_rows.tolist() == [0, 1, 2, 1, 0, 0]


def test_no_pairs_are_no_groups():
    assert len(pairs(3).groups(groups(ALONE, ALONE, ALONE))) == 0


def test_found_again_counts_near_copies_only_if_asked():
    exact, near = groups(0, ALONE, 0, ALONE), pairs(4, (1, 3))
    of, among = mask(4, 2, 3), mask(4, 0, 1)
    assert leaked_rows(of, among, exact).tolist() == [2]
    assert leaked_rows(of, among, exact, near).tolist() == [2, 3]


def test_found_again_does_not_follow_chains():
    """Row 2 is like row 1, and row 1 like row 0; that does not put row 2 among row 0."""
    near = pairs(3, (0, 1), (1, 2))
    assert len(leaked_rows(mask(3, 2), mask(3, 0), groups(ALONE, ALONE, ALONE), near)) == 0
