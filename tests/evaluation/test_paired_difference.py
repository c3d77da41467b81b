"""The difference between two recipes over seeds and faces, with an interval that allows for both."""

import numpy as np
import pytest

from fer_core.evaluation.paired_difference import paired_difference


def simulate(rng, seeds: int, faces: int, effect: float, face_sd: float, seed_sd: float):
    """Draw who is right: before with 60 %, after with 60 % + effect + a part of each face + a part of each seed."""
    chance = 0.6 + effect + face_sd * rng.standard_normal(faces) + seed_sd * rng.standard_normal((seeds, 1))
    luck = rng.random((seeds, faces))
    return luck < 0.6, luck < chance


@pytest.mark.parametrize(("face_sd", "seed_sd"), [(0.1, 0.0), (0.05, 0.02), (0.0, 0.03)])
@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_about_95_of_100_intervals_hold_the_truth(seeds, face_sd, seed_sd):
    if seeds == 1 and seed_sd:
        pytest.skip("one seed cannot say how much seeds differ")
    rng, effect, trials = np.random.default_rng(0), 0.02, 600
    results = [paired_difference(*simulate(rng, seeds, 400, effect, face_sd, seed_sd)) for _ in range(trials)]
    held = np.mean([result.low <= effect <= result.high for result in results])
    assert 0.93 <= held <= 0.998
    assert np.mean([result.difference for result in results]) == pytest.approx(effect, abs=0.004)


def test_seeds_that_disagree_widen_the_interval():
    rng = np.random.default_rng(1)
    before = rng.random((4, 500)) < 0.6
    after = before.copy()
    after[:, :50] = True
    alike = paired_difference(before, after)
    after[0, 50:250], after[1, 50:250] = True, False
    unlike = paired_difference(before, after)
    assert unlike.high - unlike.low > 3 * (alike.high - alike.low)
    assert alike.significant
    assert not unlike.significant


def test_the_order_of_seeds_and_faces_does_not_matter():
    rng = np.random.default_rng(2)
    before, after = simulate(rng, 3, 200, 0.05, 0.1, 0.02)
    order, seeds = rng.permutation(200), [2, 0, 1]
    shuffled = paired_difference(before[seeds][:, order], after[seeds][:, order])
    assert shuffled.low == pytest.approx(paired_difference(before, after).low)


def test_swapping_the_recipes_turns_the_interval_round():
    before, after = simulate(np.random.default_rng(3), 3, 200, 0.05, 0.1, 0.02)
    result, swapped = paired_difference(before, after), paired_difference(after, before)
    assert (swapped.difference, swapped.low, swapped.high) == pytest.approx(
        (-result.difference, -result.high, -result.low)
    )


def test_equal_recipes_do_not_differ_and_one_face_says_nothing():
    right = np.array([[True, False, True]] * 2)
    same = paired_difference(right, right)
    assert (same.difference, same.low, same.high, same.significant) == (0, 0, 0, False)
    one = paired_difference(right[:, :1], ~right[:, :1])
    assert (one.difference, one.low, one.high, one.significant) == (-1, -1, 1, False)
