import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import SettingsError
from fer_core.recognition.baseline import EXPECTED_NEUTRAL, Baseline, expected_neutral, logits_of

NEUTRAL = LABELS.index("neutral")
SAD = LABELS.index("sad")
# A face that scores as sad while it looks neutral, and one that scores as neutral.
SAD_LOOKING = np.array([0.05, 0.001, 0.01, 0.009, 0.3, 0.6, 0.03])
PLAIN = np.array([0.01, 0.001, 0.01, 0.009, 0.93, 0.03, 0.01])


def frames_around(probs, n=31, noise=0.15):
    logits = logits_of(probs) + np.random.default_rng(0).normal(0, noise, (n, len(probs)))
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def baseline_of(probs):
    frames = np.atleast_2d(probs)
    return Baseline.of_frames(frames, LABELS, np.arange(len(frames)) / 10)


def test_the_frames_it_was_made_of_come_out_neutral():
    frames = frames_around(SAD_LOOKING)
    assert (frames.argmax(axis=1) == SAD).all()
    corrected = baseline_of(frames).correct(frames)
    assert (corrected.argmax(axis=1) == NEUTRAL).all()
    assert np.median(corrected[:, NEUTRAL]) == pytest.approx(EXPECTED_NEUTRAL, abs=0.12)


def test_its_own_scores_become_the_expected_ones():
    baseline = baseline_of(frames_around(SAD_LOOKING))
    np.testing.assert_allclose(baseline.correct(baseline.probs[None])[0], baseline.expected, atol=1e-5)
    assert baseline.expected[NEUTRAL] >= EXPECTED_NEUTRAL


def test_a_face_that_scores_as_neutral_anyway_changes_nothing():
    baseline, others = baseline_of(PLAIN), np.random.default_rng(1).dirichlet(np.ones(7), 50)
    np.testing.assert_allclose(baseline.expected, baseline.probs, atol=1e-6)
    np.testing.assert_allclose(baseline.correct(others), others, atol=1e-5)


def test_an_expression_that_stands_out_against_the_baseline_still_wins():
    angry = np.array([0.5, 0.01, 0.01, 0.01, 0.02, 0.44, 0.01])
    corrected = baseline_of(SAD_LOOKING).correct(angry[None])[0]
    assert corrected.argmax() == LABELS.index("angry")
    assert corrected[SAD] < angry[SAD]


def test_rows_sum_to_1_in_the_order_of_the_labels_and_no_expression_gains_on_neutral():
    probs = np.random.default_rng(2).dirichlet(np.full(7, 0.3), 200)
    corrected = baseline_of(SAD_LOOKING).correct(probs)
    assert corrected.dtype == np.float32 and corrected.shape == probs.shape
    np.testing.assert_allclose(corrected.sum(axis=1), 1, atol=1e-6)
    change = logits_of(corrected.astype(float)) - logits_of(probs)
    moderate = (probs > 1e-4).all(axis=1) & (corrected > 1e-4).all(axis=1)
    assert moderate.sum() > 5
    assert (change[moderate].argmax(axis=1) == NEUTRAL).all() and (change[moderate].argmin(axis=1) == SAD).all()


def test_scores_of_0_and_1_are_corrected_too():
    corrected = baseline_of(np.eye(7)[SAD]).correct(np.eye(7))
    assert np.isfinite(corrected).all()
    assert corrected[SAD].argmax() == NEUTRAL


def test_it_is_the_median_and_knows_its_seconds():
    frames = np.stack([PLAIN, PLAIN, SAD_LOOKING])
    baseline = Baseline.of_frames(frames, LABELS, [4.0, 4.5, 5.5])
    np.testing.assert_allclose(baseline.probs, PLAIN, atol=0.01)
    assert (baseline.frames, baseline.first_s, baseline.last_s, baseline.seconds) == (3, 4.0, 5.5, 1.5)


def test_its_json_is_enough_to_correct_again():
    baseline = baseline_of(SAD_LOOKING)
    content = baseline.to_json()
    shift = np.array([content["logits"][label] for label in LABELS])
    expected = np.array([content["expected"][label] for label in LABELS])
    again = np.exp(logits_of(PLAIN) - shift + logits_of(expected))
    np.testing.assert_allclose(again / again.sum(), baseline.correct(PLAIN[None])[0], atol=1e-3)


def test_the_expected_face_is_the_nearest_clearly_neutral_one():
    expected = expected_neutral(SAD_LOOKING, NEUTRAL)
    assert expected.sum() == pytest.approx(1)
    assert expected[SAD] == pytest.approx((1 - EXPECTED_NEUTRAL) / 6)
    assert expected[1] == pytest.approx(SAD_LOOKING[1])


@pytest.mark.parametrize(
    ("probs", "labels", "words"),
    [(np.empty((0, 7)), LABELS, "at least one frame"), (np.full((2, 2), 0.5), ("calm", "loud"), "calm, loud")],
)
def test_what_no_baseline_can_be_made_of_is_said(probs, labels, words):
    with pytest.raises(SettingsError, match=words):
        Baseline.of_frames(probs, labels, range(len(probs)))
