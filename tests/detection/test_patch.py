import numpy as np
import pytest

from fer_core.detection.patch import cut_square


@pytest.fixture
def ramp():
    return np.tile(np.arange(0, 200, 2, dtype=np.uint8), (80, 1))  # (80, 100), brighter to the right


def test_a_square_of_the_same_size_is_the_pixels_themselves(ramp):
    np.testing.assert_array_equal(cut_square(ramp, np.array([10, 20, 34, 44]), 1.0, 24), ramp[20:44, 10:34])


def test_reach_takes_in_what_is_around(ramp):
    np.testing.assert_array_equal(cut_square(ramp, np.array([30, 30, 50, 50]), 2.0, 40), ramp[20:60, 20:60])


def test_a_box_that_is_not_square_counts_as_its_longer_side(ramp):
    np.testing.assert_array_equal(cut_square(ramp, np.array([30, 30, 50, 60]), 1.0, 30), ramp[30:60, 25:55])


@pytest.mark.parametrize(
    ("box", "column", "value"),
    [((-20, 10, 20, 50), 0, 0), ((80, 10, 120, 50), -1, 198), ((300, 300, 340, 340), 0, 198)],
)
def test_outside_the_picture_its_border_goes_on(ramp, box, column, value):
    assert (cut_square(ramp, np.array(box), 1.0, 40)[:, column] == value).all()


def test_shrinking_averages_instead_of_picking(ramp):
    stripes = np.zeros((96, 96), np.uint8)
    stripes[:, ::2] = 200
    assert (cut_square(stripes, np.array([0, 0, 96, 96]), 1.0, 48) == 100).all()
