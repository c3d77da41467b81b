import cv2
import numpy as np
import pytest

from fer_core.recognition.tracker import Tracker
from fer_core.types import Detections

HOLD_S = 0.5
NOISE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8), (0, 0), 3)
FLAT = np.full((480, 640), 90, np.uint8)


def seen(*boxes, score=5.0):
    """Detections of squares given as left, top, side."""
    xyxy = np.array([(x, y, x + side, y + side) for x, y, side in boxes], np.float32).reshape(-1, 4)
    return Detections(xyxy, np.full(len(boxes), score, np.float32))


@pytest.fixture
def tracker():
    return Tracker()


@pytest.fixture
def settled(tracker):
    """A tracker that shows one face at (100, 100) of side 80, last seen at 0.1 s."""
    tracker.update(NOISE, seen((100, 100, 80)), 0.0, HOLD_S)
    tracker.update(NOISE, seen((100, 100, 80)), 0.1, HOLD_S)
    return tracker


def test_a_face_is_shown_from_its_second_sighting(tracker):
    assert tracker.update(NOISE, seen((100, 100, 80)), 0.0, HOLD_S) == []
    shown = tracker.update(NOISE, seen((102, 100, 80)), 0.1, HOLD_S)
    assert [track.track_id for track in shown] == [0]


def test_a_single_false_sighting_is_never_shown(tracker):
    shown = [
        tracker.update(NOISE, seen(*boxes), 0.1 * i, HOLD_S)
        for i, boxes in enumerate([[(100, 100, 80)], [], [(100, 100, 80)], [], [(400, 90, 60)], []])
    ]
    assert shown == [[]] * 6


def test_a_missed_face_is_held_where_its_picture_is(settled):
    moved = np.roll(NOISE, (6, 15), axis=(0, 1))
    shown = settled.update(moved, seen(), 0.2, HOLD_S)
    assert shown[0].xyxy == pytest.approx([115, 106, 195, 186], abs=3)


def test_a_missed_face_is_held_half_a_second_and_no_longer(settled):
    shown = [len(settled.update(NOISE, seen(), t, HOLD_S)) for t in (0.3, 0.5, 0.6, 0.61, 0.7)]
    assert shown == [1, 1, 1, 0, 0]


def test_a_face_that_went_is_not_shown_on_the_background(settled):
    assert settled.update(FLAT, seen(), 0.2, HOLD_S) == []


def test_without_holding_a_missed_face_goes_at_once(settled):
    assert settled.update(NOISE, seen(), 0.2, 0.0) == []


def test_a_face_seen_again_within_the_hold_keeps_its_number(settled):
    settled.update(FLAT, seen(), 0.2, HOLD_S)
    assert [track.track_id for track in settled.update(NOISE, seen((110, 100, 80)), 0.4, HOLD_S)] == [0]


def test_a_face_seen_again_later_is_a_new_one(settled):
    for t in (0.2, 0.7):
        settled.update(FLAT, seen(), t, HOLD_S)
    settled.update(NOISE, seen((100, 100, 80)), 0.8, HOLD_S)
    assert [track.track_id for track in settled.update(NOISE, seen((100, 100, 80)), 0.9, HOLD_S)] == [1]


def test_two_faces_keep_their_numbers_in_any_order(tracker):
    left, right = (100, 100, 80), (300, 100, 80)
    for i, boxes in enumerate([(left, right), (right, left), (left, right), (right, left)]):
        shown = tracker.update(NOISE, seen(*boxes), 0.1 * i, HOLD_S)
    assert {track.track_id: round(float(track.xyxy[0])) for track in shown} == {0: 100, 1: 300}


def test_a_face_that_moves_by_most_of_its_width_is_followed(settled):
    shown = settled.update(FLAT, seen((165, 120, 80)), 0.2, HOLD_S)
    assert [(track.track_id, track.xyxy[0]) for track in shown] == [(0, 165)]


def test_a_box_that_jumps_across_is_another_face(settled):
    settled.update(FLAT, seen((400, 300, 80)), 0.2, HOLD_S)
    shown = settled.update(FLAT, seen((400, 300, 80)), 0.3, HOLD_S)
    assert [track.track_id for track in shown] == [1]


def test_small_jitter_of_the_detector_is_smoothed(tracker):
    lefts = []
    for i in range(40):
        shown = tracker.update(NOISE, seen((100 + (4 if i % 2 else -4), 100, 80)), i / 15, HOLD_S)
        lefts += [track.xyxy[0] for track in shown]
    assert np.ptp(lefts[10:]) < 5  # of 8 px


def test_one_face_found_twice_is_one(tracker):
    for t in (0.0, 0.1, 0.2):
        shown = tracker.update(NOISE, seen((100, 100, 80), (108, 96, 90), (115, 115, 50)), t, HOLD_S)
    assert len(shown) == 1


def test_of_two_faces_that_come_to_lie_on_one_place_the_older_stays(tracker):
    for t in (0.0, 0.1):
        tracker.update(NOISE, seen((100, 100, 80), (180, 100, 80)), t, HOLD_S)
    shown = tracker.update(np.roll(NOISE, -40, axis=1), seen((100, 100, 80)), 0.2, HOLD_S)
    assert [track.track_id for track in shown] == [0]


def test_a_mouth_taken_for_a_face_gives_way_to_the_face(tracker):
    mouth, face = (150, 190, 50), (100, 100, 150)
    shown = [
        [track.track_id for track in tracker.update(NOISE, seen(*boxes), 0.1 * i, HOLD_S)]
        for i, boxes in enumerate([(mouth,), (mouth,), (mouth, face), (mouth, face), (mouth, face)])
    ]
    assert shown == [[], [0], [0], [1], [1]]


def test_a_face_that_went_does_not_take_over_its_neighbour(tracker):
    left, right = (100, 100, 80), (190, 100, 80)
    for t in (0.0, 0.1):
        tracker.update(NOISE, seen(left, right), t, HOLD_S)
    shown = tracker.update(FLAT, seen((110, 100, 80), (500, 300, 80)), 0.2, HOLD_S)  # the right one went, one came
    assert [track.track_id for track in shown] == [0]


def test_forgotten_faces_keep_their_numbers_to_themselves(settled):
    settled.reset()
    for t in (0.2, 0.3):
        shown = settled.update(NOISE, seen((100, 100, 80)), t, HOLD_S)
    assert [track.track_id for track in shown] == [1]


def test_faces_follow_a_change_of_the_frames_size(settled):
    settled.rescale(0.5)
    shown = settled.update(NOISE[:240, :320], seen((50, 50, 40)), 0.2, HOLD_S)
    assert [(track.track_id, track.xyxy.tolist()) for track in shown] == [(0, [50, 50, 90, 90])]


def test_a_flat_picture_correlates_with_nothing(tracker):
    for t in (0.0, 0.1):
        tracker.update(FLAT, seen((100, 100, 80)), t, HOLD_S)
    assert tracker.update(FLAT, seen(), 0.2, HOLD_S) == []
