"""What goes out of a live stream: the form of its messages, their times, and that no output disturbs it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.live.outputs import frame_message, marker_message, score_rows
from fer_core.live.sending import Sending
from fer_core.live.session import LiveSession, LiveSettings
from fer_core.service.schemas import Frame
from fer_core.sessions.settings_log import RecordedSettings
from tests.sessions.recording import BEGAN, CARD, Clock, frame

SETTINGS = RecordedSettings(CARD)


class Noting:
    def __init__(self):
        self.frames, self.markers, self.ended, self.reason = [], [], 0, None

    def add(self, frame):
        self.frames.append(frame)

    def mark(self, marker):
        self.markers.append(marker)

    def end_stream(self):
        self.ended += 1

    def close(self, reason):
        self.reason = reason


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sending(clock):
    return Sending(clock, lambda: BEGAN + timedelta(seconds=clock.now_s - 100))


@pytest.fixture
def output(sending):
    output = Noting()
    sending.use(output)
    return output


def send(sending, result, captured_s, shown_uncertain_below=0.0):
    sending.add(result, captured_s, SETTINGS, shown_uncertain_below, None)


def test_a_frame_has_the_services_form_and_what_only_a_stream_has(sending, output, clock):
    sending.captured_s(clock.now_s, None)
    clock.now_s += 2.5
    result = frame(7, faces=2)
    result = type(result)(
        **{name: getattr(result, name) for name in result.__slots__}
        | {"corrected": np.stack([result.unsmoothed[0], np.full(7, np.nan)])}
    )
    send(sending, result, clock.now_s - 0.5, shown_uncertain_below=0.8)
    message = frame_message(output.frames[0])
    Frame(**{name: message[name] for name in ("index", "time_s", "width", "height", "faces")})
    assert message["type"] == "frame" and message["index"] == 7 and message["time_s"] == 2.0
    assert datetime.fromisoformat(message["utc"]) == datetime(2026, 3, 1, 12, 0, 2, tzinfo=UTC)
    assert message["model"] == {"name": "m", "sha256": "ab", "label_set": CARD.label_sets[0]}
    first, second = message["faces"]
    assert (first["face"], first["expression"], first["label"], first["uncertain"]) == (1, LABELS[3], None, False)
    assert first["scores"] == dict(zip(LABELS, result.prediction.probs[0].tolist(), strict=True))
    assert first["unsmoothed"] == first["corrected"] == dict(zip(LABELS, result.unsmoothed[0].tolist(), strict=True))
    assert second["corrected"] is None and second["not_valid_because"] == "blurred, dark" and not second["valid"]


def test_a_marker_has_both_times_and_a_range_is_told_by_its_id(sending, output, clock):
    sending.captured_s(clock.now_s, None)
    clock.now_s += 4
    begun = sending.mark("film", "key 1", None, 1.0, begins_range=True)
    clock.now_s += 4
    ended = sending.end_range(begun, None)
    begin, end = map(marker_message, output.markers)
    assert (begin["kind"], begin["time_s"], end["kind"], end["time_s"]) == ("begin", 3.0, "end", 8.0)
    assert begin["id"] == end["id"] == begun.id and (ended.time_s, ended.end_s) == (3.0, 8.0)
    assert begin["utc"] == "2026-03-01T12:00:03.000+00:00"


def test_scores_of_the_lowest_numbers_come_first_and_who_is_missing_is_nan():
    result = frame(0, faces=2)
    result.track_id[:] = [5, 2]
    rows = score_rows(result, "scores", 3)
    assert rows.shape == (3, 9)
    assert rows[:, 7].tolist()[:2] == [3, 6] and rows[:2, 8].tolist() == [0, 1]  # the first face of `frame` is valid
    np.testing.assert_array_equal(rows[0, :7], result.prediction.probs[1])
    assert np.isnan(rows[2]).all()
    assert np.isnan(score_rows(result, "corrected", 1)[0, :7]).all()
    np.testing.assert_array_equal(score_rows(result, "unsmoothed", 1)[0, :7], result.unsmoothed[1])


class OneFace:
    def __init__(self, settings):
        self.settings, self.index = settings, -1

    def process(self, image_bgr, time_s):
        self.index += 1
        return frame(self.index)


def test_a_live_stream_sends_each_frame_with_the_time_of_its_capture(clock):
    session = LiveSession(OneFace, LiveSettings(recorded=SETTINGS), clock)
    output = Noting()
    session.sending.use(output)
    for number, delay_s in enumerate((0.0, 0.2, 0.1)):
        clock.now_s = 100 + number / 10 + delay_s
        session.process(np.zeros((48, 64, 3), np.uint8), camera_s=5 + number / 10)
    assert [each.time_s for each in output.frames] == pytest.approx([0.0, 0.1, 0.2])
    session.end()
    assert output.ended == 1
    session.sending.close("over")
    assert output.reason == "over" and session.sending.outputs == ()


def test_an_output_that_breaks_is_given_up_and_the_stream_goes_on(clock):
    class Broken(Noting):
        def add(self, frame):
            raise ValueError("no wire")

    session = LiveSession(OneFace, LiveSettings(recorded=SETTINGS), clock)
    broken, whole = Broken(), Noting()
    session.sending.use(broken)
    session.sending.use(whole)
    for _ in range(2):
        session.process(np.zeros((48, 64, 3), np.uint8))
    assert session.snapshot().error is None and len(whole.frames) == 2
    assert session.sending.problem == "ValueError: no wire"
    assert broken.reason == "An error occurred on the server." and session.sending.outputs == (whole,)
    session.end()
