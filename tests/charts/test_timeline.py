import numpy as np
import pytest

from fer_core.charts.timeline import expression_course
from fer_core.emotions import COLORS, LABELS


def panel(n=5):
    probs = np.random.default_rng(0).dirichlet(np.ones(len(LABELS)), n)
    return np.arange(n, dtype=float), probs


@pytest.mark.parametrize("faces", [1, 2, 3])
def test_every_face_has_a_lane_per_expression_in_its_colour(faces):
    figure = expression_course({f"Face {i}": panel() for i in range(faces)}, LABELS, 230)
    assert [trace.fillcolor for trace in figure.data] == [COLORS[label] for label in LABELS] * faces
    assert figure.layout.height == 230


def test_a_lane_s_height_is_the_score_above_its_base():
    time_s, probs = panel()
    figure = expression_course({"Face 1": (time_s, probs)}, LABELS, 230)
    for k, trace in enumerate(figure.data):
        base = len(LABELS) - 1 - k
        heights = np.array(trace.y)[1:-1] - base
        np.testing.assert_allclose(heights / heights.max(), probs[:, k] / probs[:, k].max(), atol=0.01)
        assert trace.y[0] == trace.y[-1] == base


def test_a_face_that_was_not_there_leaves_its_lanes_empty_and_says_nothing():
    time_s, probs = panel()
    probs[2] = np.nan
    trace = expression_course({"Face 1": (time_s, probs)}, LABELS, 230).data[0]
    assert trace.y[3] == len(LABELS) - 1
    assert trace.text[3] == ""
    assert trace.text[1].startswith("angry ")


def test_every_lane_is_named_on_the_axis():
    figure = expression_course({"Face 1": panel()}, LABELS, 230)
    assert figure.layout.yaxis.ticktext == LABELS


def test_the_course_of_a_video_has_the_times_of_the_video():
    time_s = np.linspace(0, 90, 10)
    probs = np.full((10, len(LABELS)), 1 / len(LABELS))
    one = expression_course({"Face 1": (time_s, probs)}, LABELS, 260)
    assert list(one.layout.xaxis.range) == [0, 90]
    assert one.layout.xaxis.ticktext[0] == "0:00" and one.layout.xaxis.ticktext[-1] == "1:30"
    np.testing.assert_allclose(one.data[0].x[1:-1], time_s)
    three = expression_course({f"Face {i}": (time_s, probs) for i in range(3)}, LABELS, 260)
    for axis in (three.layout.xaxis, three.layout.xaxis2, three.layout.xaxis3):
        assert all(0 < tick < 90 for tick in axis.tickvals)


def test_the_course_of_a_single_frame_can_be_drawn():
    one = expression_course({"Face 1": (np.zeros(1), np.ones((1, len(LABELS))))}, LABELS, 260)
    assert one.layout.xaxis.range[1] > one.layout.xaxis.range[0]
