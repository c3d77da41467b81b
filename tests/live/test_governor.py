import math

import pytest

from fer_core.live.governor import MIN_FPS, SHARE, Governor


def run(governor, streams, seconds=20.0, begin_s=0.0):
    """Let streams deliver: name -> (camera fps, seconds of a step); return how many a second were analysed lately."""
    analysed = dict.fromkeys(streams, 0)
    arrivals = sorted(
        (begin_s + (number + 0.1 * i) / fps, name)
        for i, (name, (fps, _)) in enumerate(streams.items())
        for number in range(round(seconds * fps))
    )
    for now_s, name in arrivals:
        if governor.is_due(name, now_s):
            governor.note(name, streams[name][1], streams[name][1])
            analysed[name] += now_s >= begin_s + seconds / 2
    return {name: count / (seconds / 2) for name, count in analysed.items()}


def test_every_frame_is_analysed_while_there_is_room():
    governor = Governor(cores=2)
    rates = run(governor, dict.fromkeys("abc", (15, 0.01)))
    assert all(rate == pytest.approx(15, abs=0.2) for rate in rates.values())
    assert governor.target_fps(20) == math.inf


@pytest.mark.parametrize(("streams", "step_s"), [(4, 0.03), (8, 0.03), (5, 0.05)])
def test_all_rates_fall_evenly_to_what_the_cores_have(streams, step_s):
    governor = Governor(cores=2)
    rates = run(governor, dict.fromkeys(range(streams), (15, step_s)))
    fair = 2 * SHARE / (streams * step_s)
    assert fair < 15
    assert all(rate == pytest.approx(fair, rel=0.1) for rate in rates.values())


def test_a_slow_camera_keeps_its_rate_and_the_others_share_the_rest():
    rates = run(Governor(cores=2), {"slow": (5, 0.05), "a": (15, 0.05), "b": (15, 0.05)})
    assert rates["slow"] == pytest.approx(5, rel=0.1)
    assert rates["a"] == pytest.approx((1 - 5 * 0.05) / (2 * 0.05), rel=0.1)


def test_rates_rise_again_when_a_stream_leaves_or_falls_silent():
    governor = Governor(cores=1)
    assert max(run(governor, dict.fromkeys("ab", (15, 0.03))).values()) < 10
    governor.leave("b")
    assert governor.target_fps(20.0) == math.inf
    run(governor, dict.fromkeys("ab", (15, 0.03)), begin_s=20.0)
    assert run(governor, {"a": (15, 0.03)}, begin_s=50.0)["a"] == pytest.approx(15, abs=0.2)


def test_no_stream_stands_still():
    rates = run(Governor(cores=1), dict.fromkeys(range(10), (15, 0.5)))
    assert all(rate >= 0.9 * MIN_FPS for rate in rates.values())


def test_waiting_for_a_busy_machine_counts_for_no_more_than_the_work_itself():
    governor = Governor(cores=2)
    for number in range(100):
        governor.is_due("a", number / 15)
        governor.note("a", 0.02, 0.5)
    assert governor.target_fps(100 / 15) == math.inf
    for number in range(100, 200):
        governor.is_due("a", number / 15)
        governor.note("a", 0.2, 0.5)
    assert governor.target_fps(200 / 15) == pytest.approx(2 * SHARE / 0.4, rel=0.2)
