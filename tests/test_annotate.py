import dataclasses
import gc
import tracemalloc

import numpy as np
import pytest

from fer_core.annotate import SCORE_BGR, WORD_BGR, AnnotateOptions, annotate
from fer_core.emotions import LABELS, color_bgr
from fer_core.types import Detections, FrameResult, Prediction

BOX = (200, 150, 120)


def result_of(*faces, size_wh=(640, 480)):
    """A result of faces given as ((left, top, side), word, score)."""
    xyxy = np.array([(x, y, x + s, y + s) for (x, y, s), _, _ in faces], np.float32).reshape(-1, 4)
    probs = np.array(
        [[p if label == word else (1 - p) / 6 for label in LABELS] for _, word, p in faces], np.float32
    ).reshape(-1, 7)
    return FrameResult(
        0,
        0.0,
        size_wh,
        Detections(xyxy, np.ones(len(xyxy), np.float32)),
        Prediction(probs, LABELS),
        np.arange(len(xyxy)),
    )


def scene(level, width=640, height=480):
    return np.full((height, width, 3), level, np.uint8)


def luminance(bgr):
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.asarray(bgr, float) / 255]
    return 0.0722 * linear[0] + 0.7152 * linear[1] + 0.2126 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def changed(image, level):
    return (image != level).any(axis=2)


def test_the_picture_itself_stays_as_it_is():
    image = scene(120)
    drawn = annotate(image, result_of((BOX, "happy", 0.8)))
    assert (image == 120).all() and not np.shares_memory(image, drawn)
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    assert changed(drawn, 120).any()


def test_without_a_face_nothing_is_drawn():
    assert (annotate(scene(120), result_of()) == 120).all()


@pytest.mark.parametrize("word", LABELS)
def test_the_box_has_the_expressions_colour(word):
    drawn = annotate(scene(255), result_of((BOX, word, 0.8)))
    for y, x in ((210, 200), (210, 320), (270, 260)):  # left, right and lower side
        assert np.abs(drawn[y - 1 : y + 2, x - 1 : x + 2].astype(int) - color_bgr(word)).max(axis=2).min() <= 2


def test_below_the_threshold_the_box_is_dashed_and_of_no_expression():
    side = annotate(scene(0), result_of((BOX, "happy", 0.39)))[165:255, 199:202].max(axis=(1, 2))
    assert side.max() > 200 and side.min() < 100  # lines and gaps
    drawn = annotate(scene(0), result_of((BOX, "happy", 0.39)))
    assert not (np.abs(drawn.astype(int) - color_bgr("happy")).max(axis=2) <= 8).any()


def test_the_threshold_itself_is_certain():
    options = AnnotateOptions(threshold=float(np.float32(0.8)))
    drawn = annotate(scene(0), result_of((BOX, "happy", 0.8)), options)
    np.testing.assert_array_equal(drawn, annotate(scene(0), result_of((BOX, "happy", 0.8))))


def test_boxes_and_words_can_be_left_out():
    result = result_of((BOX, "happy", 0.8))
    both = changed(annotate(scene(120), result), 120)
    boxes = changed(annotate(scene(120), result, AnnotateOptions(words=False)), 120)
    words = changed(annotate(scene(120), result, AnnotateOptions(boxes=False)), 120)
    assert boxes.any() and words.any() and not (boxes & words).any()
    np.testing.assert_array_equal(both, boxes | words)
    assert (annotate(scene(120), result, AnnotateOptions(boxes=False, words=False)) == 120).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_words_stand_out_from_their_plate_on_any_scene(level):
    drawn = annotate(scene(level), result_of((BOX, "happy", 0.8)), AnnotateOptions(boxes=False))
    rows, columns = np.nonzero(changed(drawn, level))
    behind = drawn[rows.max() - 1, (columns.min() + columns.max()) // 2]  # under the letters
    assert contrast(WORD_BGR, behind) >= 4.5
    assert contrast(SCORE_BGR, behind) >= 4.5


@pytest.mark.parametrize("level", [0, 255])
def test_an_uncertain_box_stands_out_from_any_scene(level):
    drawn = annotate(scene(level), result_of((BOX, "happy", 0.3)), AnnotateOptions(words=False))
    assert max(contrast(color, [level] * 3) for color in drawn[200:240, 195:206].reshape(-1, 3)) >= 3


@pytest.mark.parametrize("corner", [(-40, -40), (560, -40), (-40, 400), (560, 400), (200, 2), (-70, 200), (300, 478)])
def test_the_whole_plate_is_in_sight_at_the_edges(corner):
    inside = annotate(scene(0), result_of((BOX, "happy", 0.8)), AnnotateOptions(boxes=False))
    at_edge = annotate(scene(0), result_of(((*corner, 120), "happy", 0.8)), AnnotateOptions(boxes=False))
    assert changed(at_edge, 0).sum() == changed(inside, 0).sum()


def test_plates_of_close_faces_do_not_cover_each_other():
    left, right = ((200, 150, 60), "disgusted", 0.8), ((265, 160, 60), "surprised", 0.8)
    options = AnnotateOptions(boxes=False)
    alone = [changed(annotate(scene(0), result_of(face), options), 0).sum() for face in (left, right)]
    assert changed(annotate(scene(0), result_of(left, right), options), 0).sum() == sum(alone)


def test_a_plate_does_not_cover_the_face_above_it():
    above, below = (200, 60, 120), (205, 185, 120)
    drawn = annotate(scene(120), result_of((above, "happy", 0.9), (below, "sad", 0.8)), AnnotateOptions(boxes=False))
    changed = (drawn != 120).any(axis=2)
    assert not changed[60:180, 200:320].any()


def test_numbers_stand_on_the_plates_if_asked_for():
    result = result_of((BOX, "happy", 0.9))
    plain, numbered = (annotate(scene(120), result, AnnotateOptions(numbers=numbers)) for numbers in (False, True))
    assert (
        np.flatnonzero((numbered != plain).any(axis=(0, 2))).max()
        > np.flatnonzero((plain != 120)[:140].any(axis=(0, 2))).max()
    )


def test_without_words_boxes_keep_their_number_and_nothing_stands_there_without_boxes():
    result = result_of((BOX, "happy", 0.9))
    bare = annotate(scene(0), result, AnnotateOptions(words=False))
    numbered = annotate(scene(0), result, AnnotateOptions(words=False, numbers=True))
    worded = annotate(scene(0), result)
    plates = [np.count_nonzero((image != bare).any(axis=2)) for image in (numbered, worded)]
    assert 0 < plates[0] < plates[1] / 2
    assert not annotate(scene(0), result, AnnotateOptions(words=False, boxes=False, numbers=True)).any()


def test_a_held_label_is_drawn_in_its_colour():
    result = dataclasses.replace(result_of((BOX, "happy", 0.5)), shown=(LABELS.index("sad"),))
    drawn = annotate(scene(255), result, AnnotateOptions(words=False))
    assert np.abs(drawn[210, 200].astype(int) - color_bgr("sad", LABELS)).max() < 60


def test_a_plate_that_would_cover_its_neighbour_ends_with_its_face_instead():
    left, right = (200, 150, 60), (270, 100, 80)
    drawn = annotate(scene(0), result_of((left, "surprised", 0.9), (right, "happy", 0.9)), AnnotateOptions(boxes=False))
    x, y, side = right
    assert not drawn[y : y + side, x : x + side].any()
    assert drawn[120:150, 100:260].any()  # above the left face, to its left


@pytest.mark.parametrize("score", [0.04, 0.5, 1.0])
def test_the_plate_keeps_its_size_whatever_the_score(score):
    def size(p):
        options = AnnotateOptions(boxes=False, threshold=0.0)
        result = result_of((BOX, "happy", p))
        probs = np.full((1, 7), 0.0, np.float32)
        probs[0, LABELS.index("happy")] = p
        result = FrameResult(0, 0.0, (640, 480), result.detections, Prediction(probs, LABELS), result.track_id)
        return changed(annotate(scene(0), result, options), 0).sum()

    assert size(score) == size(0.8)


@pytest.mark.parametrize(("width", "height"), [(8, 6), (60, 40), (320, 240), (1920, 1080)])
def test_any_size_of_picture_can_be_drawn_on(width, height):
    face = ((width * 0.3, height * 0.4, height * 0.4), "surprised", 0.8)
    drawn = annotate(scene(90, width, height), result_of(face, size_wh=(width, height)))
    assert drawn.shape == (height, width, 3) and changed(drawn, 90).any()


def test_letters_grow_with_the_picture_and_stay_legible():
    def plate_height(width, height):
        face = ((width * 0.4, height * 0.4, height * 0.3), "happy", 0.8)
        drawn = annotate(
            scene(0, width, height), result_of(face, size_wh=(width, height)), AnnotateOptions(boxes=False)
        )
        return np.ptp(np.nonzero(changed(drawn, 0))[0])

    small, usual, large = plate_height(320, 240), plate_height(640, 480), plate_height(1920, 1440)
    assert small >= 16 and large == pytest.approx(3 * usual, rel=0.1)


def test_the_plates_of_faces_that_are_gone_are_not_kept():
    image, result = scene(90), result_of((BOX, "happy", 0.8))
    annotate(image, result)
    tracemalloc.start()
    try:
        for number in range(1000, 1300):
            annotate(image, dataclasses.replace(result, track_id=np.array([number])), AnnotateOptions(numbers=True))
        gc.collect()
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 3e6


def test_a_gray_picture_is_drawn_on_in_colour():
    drawn = annotate(np.full((480, 640), 120, np.uint8), result_of((BOX, "happy", 0.8)))
    np.testing.assert_array_equal(drawn, annotate(scene(120), result_of((BOX, "happy", 0.8))))


def test_another_picture_than_the_results_is_refused():
    with pytest.raises(ValueError, match="640x480 px, got one of 320x240"):
        annotate(scene(0, 320, 240), result_of((BOX, "happy", 0.8)))


def test_a_threshold_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="threshold must be 0 to 1, got 40"):
        AnnotateOptions(threshold=40)
