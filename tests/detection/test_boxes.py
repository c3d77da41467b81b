import numpy as np
import pytest

from fer_core.detection.boxes import box_ios, join, non_max_suppression
from fer_core.types import Detections


def detections(*rows):
    """Detections of squares given as left, top, side, score."""
    return Detections(
        np.array([(x, y, x + s, y + s) for x, y, s, _ in rows], np.float32).reshape(-1, 4),
        np.array([row[3] for row in rows], np.float32),
    )


@pytest.mark.parametrize(
    ("other", "share"),
    [
        ((0, 0, 10, 10), 1.0),
        ((5, 0, 15, 10), 0.5),
        ((10, 0, 20, 10), 0.0),
        ((2, 2, 7, 7), 1.0),
        ((-10, -10, 30, 30), 1.0),
        ((50, 50, 60, 60), 0.0),
    ],
)
def test_overlap_is_a_part_of_the_smaller_box(other, share):
    assert box_ios(np.array([0, 0, 10, 10]), np.array([other])).tolist() == [share]
    assert box_ios(np.array(other), np.array([[0, 0, 10, 10]] * 2)).tolist() == [share] * 2


def test_of_duplicates_the_best_box_stays():
    found = non_max_suppression(detections((100, 100, 80, 3), (104, 100, 80, 9), (300, 100, 80, 5), (120, 120, 30, 4)))
    assert (found.xyxy[:, 0].tolist(), found.score.tolist()) == ([104, 300], [9, 5])


def test_a_mouth_within_a_face_gives_way_even_with_more_hits():
    assert non_max_suppression(detections((140, 160, 60, 10), (100, 80, 160, 6))).xyxy[:, 0].tolist() == [100]


def test_neighbours_are_no_duplicates():
    assert len(non_max_suppression(detections((100, 100, 80, 3), (150, 100, 80, 9)))) == 2


def test_searches_are_joined_in_order():
    joined = join([detections((1, 1, 5, 3)), detections(), detections((9, 9, 5, 4), (20, 9, 5, 1))])
    assert joined.xyxy[:, 0].tolist() == [1, 9, 20]
    assert len(join([])) == 0
