import numpy as np
import pytest
import scipy.stats
from sklearn.calibration import calibration_curve

from fer_core.evaluation.calibration import coverage, fit_temperature, reliability
from fer_core.models.temperature import Temperature, entropy


def drawn(n: int, temperature: Temperature = Temperature(), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, and labels drawn by these scores after `temperature`."""
    rng = np.random.default_rng(seed)
    probs = np.exp(rng.normal(0, 2, (n, 7)))
    probs /= probs.sum(1, keepdims=True)
    true = temperature.apply(probs).astype(np.float64)
    ends = np.cumsum(true, axis=1)
    return probs, np.minimum((rng.random(n)[:, None] > ends).sum(1), 6)


def test_a_temperature_is_the_softmax_of_divided_logits():
    logits = np.random.default_rng(0).normal(size=(5, 7))
    softmax = lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)  # noqa: E731
    np.testing.assert_allclose(Temperature(2.5).apply(softmax(logits)), softmax(logits / 2.5), rtol=1e-5)


@pytest.mark.parametrize(
    "temperature", [Temperature(3.0), Temperature(1.5, 0.4), Temperature(0.05, -2), Temperature(20, 2)], ids=str
)
def test_a_temperature_keeps_the_order_and_sums_to_one_even_of_scores_of_zero(temperature):
    probs = np.array([[1, 0, 0, 0, 0, 0, 0], [0.5, 0.3, 0.2, 0, 0, 0, 0], [1 / 7] * 7], np.float32)
    scaled = temperature.apply(probs)
    np.testing.assert_allclose(scaled.sum(1), 1, rtol=1e-6)
    assert (scaled.argmax(1) == 0).all()
    np.testing.assert_allclose(scaled[2], 1 / 7, rtol=1e-5)


def test_the_temperature_that_does_nothing_gives_the_very_scores():
    probs = drawn(3)[0]
    assert Temperature().apply(probs) is probs


def test_entropy_is_that_of_scipy_as_a_share_of_the_largest():
    probs = drawn(50)[0]
    np.testing.assert_allclose(entropy(probs), scipy.stats.entropy(probs, axis=1) / np.log(7))
    assert entropy(np.eye(7)[:1]) == pytest.approx(0, abs=1e-5)
    assert entropy(np.full((1, 7), 1 / 7)) == pytest.approx(1)


def test_an_entropy_power_decides_what_is_decided_and_evens_what_is_even():
    probs = np.array([[0.95, 0.03, 0.01, 0.01], [0.4, 0.3, 0.2, 0.1]])
    scaled = Temperature(1.2, 0.4).apply(probs)
    assert scaled[0, 0] > 0.95
    assert scaled[1, 0] < 0.4


@pytest.mark.parametrize(
    "temperature",
    [Temperature(0.5), Temperature(), Temperature(2.0), Temperature(1.2, 0.4), Temperature(0.9, -0.3)],
    ids=str,
)
def test_the_temperature_that_labels_were_drawn_by_is_found(temperature):
    probs, labels = drawn(40_000, temperature)
    found = fit_temperature(probs, labels)
    assert found.scale == pytest.approx(temperature.scale, rel=0.1)
    assert found.entropy_power == pytest.approx(temperature.entropy_power, abs=0.07)


@pytest.mark.parametrize("right", [True, False])
def test_faces_that_are_all_right_or_all_wrong_still_give_a_temperature(right):
    probs = drawn(20)[0]
    best = probs.argmax(1)
    found = fit_temperature(probs, best if right else (best + 1) % 7)
    assert (found.scale < 1) == right
    assert np.isfinite(found.apply(probs)).all()


def test_one_temperature_cannot_mend_what_two_numbers_can():
    probs, labels = drawn(20_000, Temperature(1.4, 0.8))
    alone = min(reliability(Temperature(scale).apply(probs), labels).error for scale in np.linspace(0.3, 3, 28))
    assert alone > 0.03
    assert reliability(fit_temperature(probs, labels).apply(probs), labels).error < 0.02


def test_scores_that_mean_what_they_say_have_a_small_error():
    assert reliability(*drawn(20_000)).error < 0.02


def test_scores_that_are_too_sure_have_a_large_error_until_they_are_cooled():
    probs, labels = drawn(20_000, Temperature(3.0))
    assert reliability(probs, labels).error > 0.2
    assert reliability(fit_temperature(probs, labels).apply(probs), labels).error < 0.02


def test_bins_equal_scikit_learns():
    probs, labels = drawn(2000)
    found = reliability(probs, labels, bins=10)
    accuracy, confidence = calibration_curve(probs.argmax(1) == labels, probs.max(1), n_bins=10)
    some = found.count > 0
    np.testing.assert_allclose(found.accuracy[some], accuracy)
    np.testing.assert_allclose(found.confidence[some], confidence)
    assert found.count.sum() == 2000


def test_error_by_hand():
    # Three faces scored 0.9 of which two are right, one scored 0.5 which is right: (3·|0.9-2/3| + |0.5-1|) / 4.
    probs = np.array([[0.9, 0.1]] * 3 + [[0.5, 0.5]])
    assert reliability(probs, np.array([0, 0, 1, 0])).error == pytest.approx((3 * (0.9 - 2 / 3) + 0.5) / 4)


def test_coverage_takes_the_most_confident_first():
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    found = coverage(probs, np.array([0, 0, 1, 0]))
    assert found.at_threshold(0.75) == (0.5, 1.0)
    assert found.at_threshold(0.65) == (0.75, pytest.approx(2 / 3))
    assert found.at_threshold(0.95) == (0.0, None)


def test_the_threshold_is_the_lowest_that_is_right_often_enough():
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    assert coverage(probs, np.array([0, 0, 1, 0])).threshold_for(0.75) == 0.6
    assert coverage(probs, np.array([0, 0, 1, 1])).threshold_for(0.75) == 0.8
    assert coverage(probs, np.array([1, 1, 1, 1])).threshold_for(0.75) is None


def test_faces_with_equal_scores_are_covered_together():
    probs = np.array([[0.8, 0.2]] * 4)
    found = coverage(probs, np.array([0, 1, 1, 1]))
    assert found.accuracy.tolist() == [0.25] * 4
    assert found.threshold_for(0.5) is None
