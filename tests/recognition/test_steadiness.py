import math

import numpy as np
import pytest

from fer_core.recognition.steadiness import delay_s, measure_steadiness
from fer_core.types import Detections, FrameResult, Prediction


def frame(index, *faces):
    """A frame a tenth of a second after the one before, with faces given as (number, best label)."""
    n = len(faces)
    probs = np.array([[label == "calm", label == "glad"] for _, label in faces], np.float32).reshape(n, 2)
    detections = Detections(np.zeros((n, 4), np.float32), np.ones(n, np.float32))
    ids = np.array([number for number, _ in faces], np.int64)
    return FrameResult(index, index / 10, (640, 480), detections, Prediction(probs, ("calm", "glad")), ids)


def test_changes_are_counted_for_each_face_and_minute_in_sight():
    labels = ["calm", "glad", "glad", "calm"]
    frames = [frame(i, (0, label), (7, "calm")) for i, label in enumerate(labels)]
    steadiness = measure_steadiness(frames)
    assert steadiness.changes == 2
    assert steadiness.face_s == pytest.approx(0.6)
    assert steadiness.changes_per_min == pytest.approx(200)


def test_time_out_of_sight_is_not_counted():
    frames = [frame(0, (0, "calm")), frame(1), frame(2), frame(3, (0, "glad")), frame(4, (0, "glad"))]
    steadiness = measure_steadiness(frames)
    assert steadiness.changes == 1 and steadiness.face_s == pytest.approx(0.1)


def test_without_a_face_there_is_nothing_to_say():
    assert math.isnan(measure_steadiness([frame(0)]).changes_per_min)


def test_half_of_a_change_is_seen_after_the_delay():
    assert 1 - math.exp(-delay_s(0.4) / 0.4) == pytest.approx(0.5)
