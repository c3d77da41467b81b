import numpy as np
import pytest

from fer_core.recognition.search_plan import SearchPlan

ROOM = np.full((480, 640), 90, np.uint8)
FACE = np.array([100, 100, 200, 200], np.float32)
FPS = 15


def with_patch(left, top, side=60, level=160):
    image = ROOM.copy()
    image[top : top + side, left : left + side] = level
    return image


def searches(images, missing, boxes=()):
    """At which times of a stream with 15 frames a second it is searched."""
    plan = SearchPlan()
    return [i / FPS for i, image in enumerate(images) if plan.next_area(image, i / FPS, boxes, missing)]


@pytest.mark.parametrize(("missing", "boxes", "gap_s"), [(True, (), 0.5), (False, (FACE,), 2.0)])
def test_what_does_not_change_is_searched_rarely(missing, boxes, gap_s):
    times = searches([ROOM] * 120, missing, boxes)
    gaps = np.diff(times)
    assert times[0] == 0.0
    assert gaps.min() >= gap_s - 0.01 and gaps.max() <= gap_s + 1 / FPS + 0.01


@pytest.mark.parametrize(("missing", "boxes", "late_s"), [(True, (), 0.2), (False, (FACE,), 0.5)])
def test_what_appears_is_searched_soon_and_once(missing, boxes, late_s):
    begin = 7 * FPS
    images = [ROOM] * begin + [with_patch(400, 200)] * 60
    times = [time_s - begin / FPS for time_s in searches(images, missing, boxes) if time_s >= begin / FPS]
    assert times[0] <= late_s + 1 / FPS
    assert times[1] - times[0] >= 2 * late_s


def test_a_search_may_be_put_off_a_little():
    plan = SearchPlan()
    assert plan.next_area(ROOM, 0.0, (), False)
    moved = with_patch(400, 200)
    assert not plan.next_area(moved, 0.55, (), False, delay_s=0.1)
    assert plan.next_area(moved, 0.6, (), False, delay_s=0.1)


def test_what_moves_on_a_known_face_is_no_new_one():
    images = [with_patch(110 + 30 * (i % 2), 120) for i in range(90)]
    assert len(searches(images, False, [FACE])) <= 3  # at first, then every two seconds
    assert len(searches(images, False, [FACE + 300])) >= 10


def test_a_cameras_noise_is_no_change():
    rng = np.random.default_rng(0)
    images = [np.clip(ROOM + rng.normal(0, 8, ROOM.shape), 0, 255).astype(np.uint8) for _ in range(90)]
    assert len(searches(images, False, [FACE])) <= 3


def test_a_face_that_just_went_is_looked_for_more_often_than_one_that_never_came():
    moving = [with_patch(60 * (i % 8), 100) for i in range(90)]
    times = np.array(searches(moving, True))
    assert np.count_nonzero(times < 2) > 1.4 * np.count_nonzero((times >= 2) & (times < 4))


def test_it_begins_anew():
    plan = SearchPlan()
    assert plan.next_area(ROOM, 0.0, (), False)
    assert not plan.next_area(ROOM, 0.1, (), False)
    plan.reset()
    assert plan.next_area(ROOM, 0.1, (), False)


def test_only_what_changed_is_searched_and_now_and_then_the_whole():
    plan, whole = SearchPlan(), (0, 0, 640, 480)
    before = [plan.next_area(ROOM, i / FPS, [FACE], False) for i in range(5 * FPS)]
    assert {area for area in before if area} == {whole}
    after = [plan.next_area(with_patch(400, 200), 5 + i / FPS, [FACE], False) for i in range(6 * FPS)]
    (left, top, right, bottom), *later = [area for area in after if area]
    assert left <= 380 and top <= 180 and right >= 480 and bottom >= 280
    assert (right - left) * (bottom - top) < 0.25 * 640 * 480
    assert later and set(later) == {whole}


def test_where_most_of_it_changed_the_whole_is_searched():
    plan = SearchPlan()
    for i in range(5 * FPS):
        plan.next_area(ROOM, i / FPS, [FACE], False)
    assert plan.next_area(ROOM + 40, 10.0, [FACE], False) == (0, 0, 640, 480)
