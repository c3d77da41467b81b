import io

import numpy as np
import pandas as pd
import pytest

from fer_core.media.summary import courses, summarize
from fer_core.recognition.table import Table
from fer_core.types import Detections, FrameResult, Prediction

LABELS = ("happy", "sad")


def frame(index, time_s, scores):
    """A frame with faces: number to the score of happy."""
    probs = np.array([[score, 1 - score] for score in scores.values()], np.float32).reshape(-1, 2)
    boxes = np.zeros((len(scores), 4), np.float32)
    return FrameResult(
        index,
        time_s,
        (64, 48),
        Detections(boxes, np.ones(len(scores), np.float32)),
        Prediction(probs, LABELS),
        np.array(list(scores), np.int64),
    )


def rows_of(frames, is_video=True):
    out = io.StringIO()
    table = Table(out, LABELS, uncertain_below=0.6)
    for each in frames:
        table.add("clip.mp4", each, each.time_s if is_video else None)
    return pd.read_csv(io.StringIO(out.getvalue()))


CLIP = [
    frame(0, 0.0, {0: 0.9}),
    frame(1, 0.1, {0: 0.8, 1: 0.1}),
    frame(2, 0.2, {0: 0.55}),
    frame(3, 0.3, {}),
    frame(4, 0.4, {0: 0.2}),
]


def test_each_face_in_short():
    first, second = summarize(rows_of(CLIP), LABELS)
    assert (first.face, first.frames, first.first_s, first.last_s) == (1, 4, 0.0, 0.4)
    np.testing.assert_allclose(first.mean, [0.6125, 0.3875], atol=1e-4)
    np.testing.assert_allclose([*first.shares, first.uncertain], [0.5, 0.25, 0.25])
    assert (second.face, second.frames) == (2, 1)


def test_a_picture_has_no_time():
    (each,) = summarize(rows_of([frame(0, 0.0, {0: 0.9})], is_video=False), LABELS)
    assert each.first_s is None and each.last_s is None


def test_no_face_is_no_summary():
    assert summarize(rows_of([frame(0, 0.0, {})]), LABELS) == []


def test_the_course_has_gaps_where_a_face_was_not_there():
    found = courses(rows_of(CLIP), LABELS, [1, 2], points=100)
    np.testing.assert_allclose(found[1][0], [0, 0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(found[1][1][:, 0], [0.9, 0.8, 0.55, np.nan, 0.2], atol=1e-4)
    np.testing.assert_allclose(found[2][1][:, 1], [np.nan, 0.9, np.nan, np.nan, np.nan], atol=1e-4)


@pytest.mark.parametrize("points", [1, 2, 3])
def test_a_long_course_is_averaged_over_equal_spans(points):
    clip = [frame(i, i / 10, {0: 0.2 if i < 50 else 0.8}) for i in range(100)]
    time_s, probs = courses(rows_of(clip), LABELS, [1], points)[1]
    assert len(time_s) == points
    assert probs[:, 0].mean() == pytest.approx(0.5, abs=0.01)
    if points == 2:
        np.testing.assert_allclose(probs[:, 0], [0.2, 0.8], atol=0.02)
