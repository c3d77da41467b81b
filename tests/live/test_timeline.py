import numpy as np

from fer_core.live.telemetry import Moment
from fer_core.live.timeline import face_series


def moment(time_s, *tracks):
    return Moment(time_s, {track: np.array([track / 10, 1 - track / 10]) for track in tracks})


def test_a_row_is_nan_where_the_face_was_not_there():
    series = face_series([moment(0, 1), moment(1), moment(2, 1)], now_s=3.0, labels=2, faces=3)
    ago_s, probs = series[1]
    assert ago_s.tolist() == [3, 2, 1]
    assert np.isnan(probs[:, 0]).tolist() == [False, True, False]


def test_the_faces_seen_most_come_first_and_in_order_of_their_numbers():
    moments = [moment(0, 7, 2, 5), moment(1, 7, 2), moment(2, 7)]
    assert list(face_series(moments, now_s=2.0, labels=2, faces=2)) == [2, 7]


def test_what_is_older_than_a_minute_is_left_out():
    series = face_series([moment(0, 1), moment(70, 2)], now_s=75.0, labels=2, faces=3)
    assert list(series) == [2]


def test_nothing_seen_gives_nothing():
    assert face_series([moment(0)], now_s=1.0, labels=2, faces=3) == {}
