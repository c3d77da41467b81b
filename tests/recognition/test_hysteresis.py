import numpy as np
import pytest

from fer_core.errors import SettingsError
from fer_core.recognition.hysteresis import HysteresisSettings, LabelHysteresis

SETTINGS = HysteresisSettings(margin=0.2, hold_s=0.3)


def shown(scores, settings=SETTINGS, fps=10):
    """The column shown for one face in each of successive frames."""
    labels = LabelHysteresis()
    return [
        labels.update([7], np.array([probs], np.float32), index / fps, settings)[0]
        for index, probs in enumerate(scores)
    ]


def test_scores_that_waver_do_not_change_the_label():
    assert shown([(0.52, 0.48), (0.48, 0.52)] * 10) == [0] * 20


def test_a_clear_lead_changes_it_at_once():
    assert shown([(0.6, 0.4), (0.35, 0.65), (0.6, 0.4)]) == [0, 1, 0]


def test_a_slight_lead_changes_it_when_it_has_lasted():
    assert shown([(0.6, 0.4)] + [(0.45, 0.55)] * 5) == [0, 0, 0, 0, 1, 1]


def test_a_lead_that_another_label_interrupts_begins_anew():
    scores = [(0.4, 0.3, 0.3), (0.33, 0.34, 0.33), (0.33, 0.34, 0.33), (0.33, 0.33, 0.34), (0.33, 0.34, 0.33)]
    assert shown(scores) == [0] * 5


def test_a_face_becomes_uncertain_and_certain_again_in_the_same_way():
    settings = HysteresisSettings(margin=0.2, hold_s=0.3, uncertain_below=0.5)
    wavering = [(0.6, 0.4), (0.48, 0.47), (0.51, 0.45), (0.49, 0.48)]
    assert shown(wavering, settings) == [0] * 4
    assert shown([(0.6, 0.4), (0.29, 0.28)], settings) == [0, None]
    assert shown([(0.6, 0.4)] + [(0.45, 0.4)] * 4, settings) == [0, 0, 0, 0, None]
    assert shown([(0.45, 0.4), (0.52, 0.4), (0.75, 0.2)], settings) == [None, None, 0]


def test_without_margin_and_hold_it_is_the_best_label():
    scores = np.random.default_rng(0).dirichlet(np.ones(7), 50)
    assert shown(scores, HysteresisSettings(margin=0.0, hold_s=0.0)) == scores.argmax(axis=1).tolist()


def test_faces_are_held_apart_and_forgotten_out_of_sight():
    labels = LabelHysteresis(forget_s=0.5)
    assert labels.update([1, 2], np.array([(0.6, 0.4), (0.4, 0.6)]), 0.0, SETTINGS) == [0, 1]
    assert labels.update([2, 1], np.array([(0.52, 0.48), (0.48, 0.52)]), 0.1, SETTINGS) == [1, 0]
    assert labels.update([1], np.array([(0.48, 0.52)]), 0.3, SETTINGS) == [0]
    assert labels.update([1, 2], np.array([(0.48, 0.52), (0.52, 0.48)]), 0.85, SETTINGS) == [1, 0]


@pytest.mark.parametrize("values", [{"margin": 1.5}, {"margin": -0.1}, {"hold_s": -1.0}, {"uncertain_below": 40}])
def test_values_out_of_range_are_refused(values):
    with pytest.raises(SettingsError, match="must be 0 to"):
        HysteresisSettings(**values)
