import queue

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.live.baselines import COLLECT_S, FORGET_S, BaselineKeeper
from fer_core.live.session import LiveSession
from fer_core.recognition.baseline import Baseline
from fer_core.types import Detections, FaceQuality, FrameResult, Prediction

NEUTRAL = LABELS.index("neutral")
SAD_LOOKING = (0.05, 0.005, 0.01, 0.005, 0.3, 0.6, 0.03)
HERE, THERE = (10, 10, 60, 60), (100, 10, 150, 60)


def frame(time_s, faces, problems=()):
    """A frame with faces, track number to box, all sad looking."""
    n = len(faces)
    values = np.ones(n, np.float32)
    return FrameResult(
        0,
        time_s,
        (200, 100),
        Detections(np.array(list(faces.values()), np.float32).reshape(-1, 4), values),
        Prediction(np.tile(np.array(SAD_LOOKING, np.float32), (n, 1)), LABELS),
        np.array(list(faces), np.int64),
        FaceQuality(values, values, values, (tuple(problems),) * n),
    )


class Stream:
    """Frames, eight a second, from the hundredth second on."""

    def __init__(self, keeper):
        self.keeper, self.time_s = keeper, 100.0

    def play(self, seconds, faces, problems=()):
        for _ in range(round(seconds * 8)):
            self.time_s += 0.125
            self.keeper.add(frame(self.time_s, faces, problems))


@pytest.fixture
def keeper():
    keeper = BaselineKeeper()
    keeper.reset(100.0)
    return keeper


@pytest.fixture
def stream(keeper):
    return Stream(keeper)


def set_face(stream, track_id=0, box=HERE):
    stream.keeper.start(track_id)
    stream.play(COLLECT_S + 0.3, {track_id: box})


def test_three_seconds_of_frames_make_a_baseline_and_the_countdown_tells(keeper, stream):
    stream.play(1.0, {0: HERE})
    keeper.start(0)
    stream.play(1.0, {0: HERE})
    collecting = keeper.state.collecting
    assert collecting.frames == 8 and collecting.remaining_s == 2.125
    assert not keeper.current
    stream.play(2.3, {0: HERE})
    assert keeper.state.collecting is None
    baseline = keeper.current[0]
    assert (baseline.frames, baseline.seconds) == (25, COLLECT_S)
    assert baseline.first_s - keeper.state.began_s == 1.125
    np.testing.assert_allclose(baseline.probs, SAD_LOOKING, atol=1e-4)


def test_frames_in_which_the_face_is_not_valid_do_not_count(keeper, stream):
    keeper.start(0)
    stream.play(1.0, {0: HERE})
    before = keeper.state.collecting
    stream.play(2.0, {0: HERE}, problems=("blurred", "dark"))
    collecting = keeper.state.collecting
    assert (collecting.frames, collecting.problem) == (before.frames, "blurred, dark")
    assert collecting.remaining_s == before.remaining_s


def test_a_stream_that_stalls_makes_no_baseline_of_two_frames(keeper):
    keeper.start(0)
    for time_s in (100.0, 101.5, 103.0):
        keeper.add(frame(time_s, {0: HERE}))
    assert not keeper.current and keeper.state.collecting.frames == 3


def test_a_face_that_leaves_is_forgotten_after_a_while(keeper, stream):
    set_face(stream)
    stream.play(FORGET_S - 0.3, {})
    assert 0 in keeper.current
    stream.play(0.6, {})
    assert not keeper.current


def test_a_face_that_leaves_while_it_is_being_set_ends_that_and_is_named(keeper, stream):
    keeper.start(0)
    stream.play(1.0, {0: HERE})
    stream.play(0.5, {1: THERE})
    assert keeper.state.collecting.problem == "out of sight"
    stream.play(FORGET_S, {1: THERE})
    assert keeper.state.collecting is None and keeper.state.lost == 0
    keeper.start(1)
    assert keeper.state.lost is None


def test_a_number_that_no_face_has_ends_too(keeper, stream):
    keeper.start(7)
    stream.play(FORGET_S + 0.3, {0: HERE})
    assert keeper.state.lost == 7


@pytest.mark.parametrize(
    ("place", "number", "kept"), [(HERE, 2, True), (THERE, 2, False), (HERE, 1, False)], ids=["same", "other", "known"]
)
def test_a_new_face_where_another_was_lost_is_the_same(keeper, stream, place, number, kept):
    stream.play(0.5, {0: HERE, 1: THERE})
    keeper.start(0)
    stream.play(COLLECT_S + 0.3, {0: HERE, 1: THERE})
    baseline = keeper.current[0]
    stream.play(0.7, {1: THERE})
    stream.play(0.1, {number: place})
    assert (keeper.current.get(number) is baseline) == kept
    assert (0 in keeper.current) != kept


def test_setting_goes_on_under_the_new_number(keeper, stream):
    keeper.start(0)
    stream.play(1.5, {0: HERE})
    stream.play(0.6, {})
    stream.play(2.0, {1: HERE})
    assert list(keeper.current) == [1]


def test_cleared_cancelled_and_reset(keeper, stream):
    set_face(stream)
    keeper.clear(0)
    assert not keeper.current
    keeper.start(0)
    keeper.cancel()
    stream.play(COLLECT_S + 1, {0: HERE})
    assert not keeper.current
    set_face(stream)
    keeper.reset(200.0)
    assert not keeper.current and keeper.state.began_s == 200.0


class Analyzer:
    """Sees one face and notes the settings of each frame."""

    def __init__(self, settings):
        self.settings = settings
        self.seen = []

    def process(self, image_bgr, time_s):
        self.seen.append(self.settings)
        return frame(time_s, {0: HERE})


def test_a_session_gives_its_baselines_to_the_analyzer_and_forgets_them_with_the_stream():
    now_s, analyzers = [0.0], []
    session = LiveSession(
        lambda settings: analyzers.append(Analyzer(settings)) or analyzers[-1], clock=lambda: now_s[0]
    )
    image = np.zeros((100, 200, 3), np.uint8)
    session.process(image)
    session.baselines.start(0)
    for _ in range(35):
        now_s[0] += 0.1
        session.process(image)
    session.settings = session.settings  # the page sets them anew all the time
    session.process(image)
    assert session.snapshot().error is None
    assert list(analyzers[0].seen[-1].baselines) == [0] and not analyzers[0].seen[0].baselines
    session.end()
    session.process(image)
    session.end()
    assert not analyzers[1].seen[0].baselines


def kept():
    return Baseline.of_frames(np.full((1, 7), 1 / 7), LABELS, (5.0,))


def test_a_kept_baseline_holds_for_whoever_is_alone_also_when_they_come_back(keeper, stream):
    baseline = kept()
    keeper.offer(baseline)
    stream.play(0.5, {0: HERE, 1: THERE})
    assert not keeper.current
    stream.play(0.5, {1: THERE})
    assert keeper.current == {1: baseline}
    stream.play(0.5, {0: HERE, 1: THERE})
    assert keeper.current == {1: baseline}
    stream.play(FORGET_S + 0.5, {})
    assert not keeper.current
    stream.play(0.3, {7: HERE})
    assert keeper.current == {7: baseline}
    keeper.reset(stream.time_s)
    stream.play(0.3, {0: HERE})
    assert keeper.current == {0: baseline}


def test_what_is_set_or_cleared_here_goes_before_what_was_kept(keeper, stream):
    keeper.offer(kept())
    stream.play(0.5, {0: HERE})
    keeper.clear(0)
    stream.play(0.5, {0: HERE})
    assert not keeper.current
    set_face(stream)
    own = keeper.current[0]
    other = kept()
    keeper.offer(other)
    stream.play(0.5, {0: HERE})
    assert keeper.current == {0: own}
    keeper.clear(0)
    stream.play(0.3, {0: HERE})
    assert keeper.current == {0: other}
    keeper.offer(None)
    stream.play(0.3, {0: HERE})
    assert not keeper.current


def test_what_is_to_be_done_with_a_baseline_is_done_when_it_is_made(keeper, stream):
    made = queue.Queue()
    keeper.start(0, made.put)
    stream.play(1.0, {0: HERE})
    assert made.empty()
    stream.play(COLLECT_S, {0: HERE})
    assert made.get(timeout=20) is keeper.current[0]
