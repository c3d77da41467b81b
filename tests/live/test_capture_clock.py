import random

import pytest

from fer_core.live.capture_clock import LATEST_S, WINDOW_S, CaptureClock


def test_a_delay_that_varies_is_taken_off_and_the_smallest_stays():
    clock, chance = CaptureClock(), random.Random(1)
    errors = []
    for number in range(900):
        media_s = 7000 + number / 15
        delay_s = 0.04 + (chance.random() ** 2) * 0.3
        errors.append(clock.captured_s(50 + number / 15 + delay_s, media_s) - (50 + number / 15))
    assert max(errors[100:]) < 0.05 and min(errors) >= 0.04 - 1e-9


def test_a_camera_whose_clock_runs_faster_is_followed():
    clock = CaptureClock()
    for number in range(15 * 600):
        captured_s = clock.captured_s(number / 15, number / 15 * 1.0001)
    assert captured_s == pytest.approx(number / 15, abs=WINDOW_S * 0.0001 + 0.001)


def test_another_stream_or_a_clock_that_was_set_begins_anew():
    clock = CaptureClock()
    assert clock.captured_s(10.0, 500.0) == 10.0
    assert clock.captured_s(11.0, 3.0) == 11.0  # back in time
    assert clock.captured_s(12.0, 4.0) == 12.0
    assert clock.captured_s(12.5, 4.1) == pytest.approx(12.1)
    assert clock.captured_s(20.0, 12.0 - LATEST_S - 0.5) == 20.0  # later than any delay


def test_without_timestamps_a_frame_was_captured_when_it_came():
    assert CaptureClock().captured_s(5.0, None) == 5.0
