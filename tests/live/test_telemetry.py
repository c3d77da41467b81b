import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.live.telemetry import HISTORY_S, HISTORY_STEP_S, History, RateMeter
from fer_core.types import Detections, FrameResult, Prediction


def result_of(*tracks):
    n = len(tracks)
    probs = np.full((n, len(LABELS)), 1 / len(LABELS), np.float32)
    return FrameResult(
        0,
        0.0,
        (640, 480),
        Detections(np.zeros((n, 4), np.float32), np.ones(n, np.float32)),
        Prediction(probs, LABELS),
        np.array(tracks, np.int64),
    )


def test_rates_count_camera_and_analysed_frames_apart():
    meter = RateMeter(start_s=0.0)
    for time_s in np.arange(0.1, 4.0, 0.1):
        meter.add(time_s, delivered=2, ms=7.0)
    rates = meter.rates(3.95)
    assert rates.analysed_fps == pytest.approx(10, abs=0.6)
    assert rates.camera_fps == pytest.approx(20, abs=1.1)
    assert rates.frame_ms == pytest.approx(7.0)


def test_a_stalled_stream_falls_to_zero():
    meter = RateMeter(start_s=0.0)
    meter.add(1.0, delivered=1, ms=7.0)
    assert meter.rates(4.0).camera_fps == 0
    assert meter.rates(4.0).frame_ms == 0


def test_failed_frames_are_delivered_but_not_analysed():
    meter = RateMeter(start_s=0.0)
    meter.add(1.0, delivered=1, ms=None)
    rates = meter.rates(2.0)
    assert (rates.camera_fps, rates.analysed_fps) == (0.5, 0)


def test_a_stream_that_has_just_begun_is_measured_over_its_own_time():
    meter = RateMeter(start_s=10.0)
    for time_s in np.arange(10.1, 11.05, 0.1):
        meter.add(time_s, delivered=1, ms=1.0)
    assert meter.rates(11.0).camera_fps == pytest.approx(10, abs=0.1)


def test_history_is_bounded_in_time_and_rate():
    history = History()
    for time_s in np.arange(0, 2 * HISTORY_S, 1 / 30):
        history.add(result_of(3), float(time_s))
    moments = history.moments()
    assert moments[-1].time_s - moments[0].time_s <= HISTORY_S
    assert len(moments) <= HISTORY_S / HISTORY_STEP_S + 1


def test_history_keeps_each_face_under_its_number():
    history = History()
    history.add(result_of(4, 9), 0.0)
    assert set(history.moments()[0].probs) == {4, 9}
