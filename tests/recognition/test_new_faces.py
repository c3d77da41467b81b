import numpy as np
import pytest

from fer_core.recognition.new_faces import NewFaces
from fer_core.types import Detections

ROOM = np.full((480, 640), 90, np.uint8)
FACE = np.array([100, 100, 200, 200], np.float32)
MOUTH, AROUND = (130, 160, 170, 200), (60, 60, 260, 260)
OTHERS = [(10 + 60 * i, 300, 60 + 60 * i, 350) for i in range(5)]
NONE = np.empty((0, 4), np.float32)


class Detector:
    """Proposes the same places each time, half of a search's in either half, and finds a face in each."""

    def __init__(self, *places):
        self.places = Detections(np.array(places, np.float32).reshape(-1, 4), np.arange(len(places), 0, -1, np.float32))
        self.calls = []

    def propose(self, gray, area=None, half=None):
        self.calls.append(half or "whole")
        rows = {None: slice(None), "small": slice(0, None, 2), "large": slice(1, None, 2)}
        return self.places[rows[half]]

    def confirm(self, gray, places):
        self.calls.append(len(places))
        return places


def find(new_faces, time_s, known=(FACE,), missing=False, looked_for=False):
    """The new faces of one frame; a known one is seen unless it is missing."""
    seen = NONE if missing or not known else np.stack(known)
    return new_faces.find(ROOM, time_s, known, seen, missing or not known, looked_for).xyxy.tolist()


def test_where_nothing_is_known_a_frame_is_searched_and_all_places_are_looked_at_in_one_go():
    detector = Detector(*OTHERS)
    assert find(NewFaces(detector, thorough=False), 0.0, known=()) == [list(xyxy) for xyxy in OTHERS]
    assert detector.calls == ["whole", 5]


def test_beside_a_known_face_a_frame_does_one_small_piece_of_the_search():
    detector = Detector(*OTHERS)
    new_faces = NewFaces(detector, thorough=False)
    found = [find(new_faces, i / 15, looked_for=i == 4) for i in range(6)]
    assert detector.calls == ["small", "large", 2, 2, 1]
    assert [xyxy for piece in found for xyxy in piece] == [list(xyxy) for xyxy in OTHERS]


def test_beside_one_that_had_to_be_looked_for_it_does_less_of_it_and_begins_none():
    detector = Detector(*OTHERS)
    new_faces = NewFaces(detector, thorough=False)
    for i in range(7):
        find(new_faces, i / 15, looked_for=True)
    assert detector.calls == ["small", "large", 1, 1, 1, 1, 1]
    find(new_faces, 2.05, looked_for=True)
    assert len(detector.calls) == 7
    find(new_faces, 2.05)
    assert detector.calls[7:] == ["small"]


@pytest.mark.parametrize(("place", "looks"), [(tuple(FACE + 5), 0), (MOUTH, 1), (AROUND, 1), (OTHERS[0], 1)])
def test_a_known_face_is_not_looked_at_again_but_what_is_much_larger_or_smaller_is(place, looks):
    detector = Detector(place)
    new_faces = NewFaces(detector, thorough=False)
    assert sum(len(find(new_faces, i / 15)) for i in range(4)) == looks


def test_once_a_face_is_missing_the_search_is_done_in_one_go():
    detector = Detector(*OTHERS)
    new_faces = NewFaces(detector, thorough=False)
    find(new_faces, 0.0)
    assert len(find(new_faces, 0.6, missing=True)) == 5
    assert detector.calls == ["small", "whole", 5]


def test_a_thorough_stream_searches_whole_frames_at_fixed_times():
    detector = Detector(*OTHERS)
    new_faces = NewFaces(detector, thorough=True)
    assert [len(find(new_faces, i / 10)) for i in range(7)] == [5, 0, 0, 5, 0, 0, 5]
    assert [len(find(new_faces, 1 + i / 9, known=())) for i in range(3)] == [5, 5, 5]


def test_it_begins_anew():
    detector = Detector(*OTHERS)
    new_faces = NewFaces(detector, thorough=False)
    find(new_faces, 0.0)
    new_faces.reset()
    find(new_faces, 0.1)
    assert detector.calls == ["small", "small"]
