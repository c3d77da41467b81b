import numpy as np
import pytest

from fer_core.charts.dataset import (
    _contrast,
    class_counts,
    face_heat,
    face_map,
    text_on,
    what_people_saw,
)
from fer_core.emotions import COLORS, LABELS

SEEN = np.arange(56).reshape(7, 8)


def test_a_bar_is_the_share_in_the_emotion_s_colour_with_its_count():
    figure = class_counts(np.array([10, 0, 20, 30, 40, 0, 0]), LABELS, 230, 0.4)
    bars = figure.data[0]
    assert list(bars.x) == [0.1, 0, 0.2, 0.3, 0.4, 0, 0]
    assert list(bars.marker.color) == [COLORS[label] for label in LABELS]
    assert bars.text[4] == "40  (40.0 %)"
    assert figure.layout.height == 230


def test_labels_stand_from_top_to_bottom():
    assert class_counts(np.ones(7), LABELS, 230, 0.2).layout.yaxis.categoryarray == LABELS[::-1]


def test_what_people_saw_begins_with_the_label_s_own_share_and_fills_the_bar():
    figure = what_people_saw(SEEN, LABELS, "something else", 300)
    own = np.diag(SEEN[:, :7]) / SEEN.sum(axis=1)
    np.testing.assert_allclose(figure.data[0].x, own)
    assert list(figure.data[0].marker.color) == [COLORS[label] for label in LABELS]
    np.testing.assert_allclose(sum(np.array(trace.x) for trace in figure.data), 1)


def test_a_segment_without_room_has_no_words_but_says_them_when_pointed_at():
    seen = np.zeros((7, 8), int)
    seen[:, 0] = 97
    seen[:, 1] = 3
    figure = what_people_saw(seen, LABELS, "something else", 300)
    segment = figure.data[2]  # of the label happy: disgusted
    assert segment.text[3] == ""
    assert segment.hovertext[3] == "disgusted 3 %"


@pytest.mark.parametrize("color", COLORS.values())
def test_words_on_a_colour_are_legible(color):
    assert _contrast(text_on(color), color) >= 4.5


def test_a_map_gives_back_the_rows_and_draws_the_largest_group_first():
    xy = np.random.default_rng(0).normal(size=(5, 2))
    few = np.array([True, False, False, False, True])
    figure = face_map(xy, np.arange(10, 15), {"few": (few, "#000000"), "many": (~few, "#FFFFFF")}, list("abcde"), 600)
    assert [trace.name for trace in figure.data] == ["many", "few"]
    assert list(figure.data[1].customdata) == [10, 14]
    assert figure.data[1].legendrank < figure.data[0].legendrank


def test_the_largest_shares_are_on_top_of_the_heat_map():
    figure = face_heat(np.zeros((3, 2)), np.arange(3), np.array([0.9, 0.1, 0.5]), list("abc"), 600)
    assert list(figure.data[0].customdata) == [1, 2, 0]
