import numpy as np

from fer_core.charts.moments import add_moments, condition_curves
from fer_core.charts.timeline import expression_course

MARKERS = [(1.0, None, "bell", False), (2.0, 3.0, "noise", True)]


def course(panels):
    times_s, probs = np.arange(5.0), np.full((5, 2), 0.5)
    return expression_course({f"Face {n}": (times_s, probs) for n in range(panels)}, ("happy", "sad"), 200)


def test_markers_and_the_cursor_stand_in_every_panel():
    figure = add_moments(course(2), MARKERS, 4.0, 2)
    shapes = figure.layout.shapes
    assert [(shape.type, shape.xref, shape.x0, shape.x1) for shape in shapes] == [
        *[(kind, x, a, b) for x in ("x", "x2") for kind, a, b in (("line", 1.0, 1.0), ("rect", 2.0, 3.0))],
        *[("line", x, 4.0, 4.0) for x in ("x", "x2")],
    ]
    heads = figure.data[-1]
    assert heads.text == ("bell · 0:01", "noise, left out · 0:02 to 0:03") and tuple(heads.y) == (2, 2)


def test_without_markers_there_is_only_the_cursor():
    figure = add_moments(course(1), [], None, 2)
    assert not figure.layout.shapes and len(figure.data) == 2


def test_a_band_ends_where_there_is_only_one_person():
    low = np.array([0.1, 0.1, np.nan])
    figure = condition_curves(np.arange(3.0), {"calm": (np.full(3, 0.2), low, low + 0.2)}, "Mean score", 300)
    band, line = figure.data
    assert list(band.x) == [0, 1, 1, 0] and list(line.y) == [20, 20, 20] and line.name == "calm"
