import numpy as np
import pytest

from fer_core import plot
from fer_core.types import Detections, FrameResult, Prediction

LABELS = ("angry", "happy")


def frame(index, scores):
    """A frame with faces: number to the score of happy."""
    probs = np.array([[1 - score, score] for score in scores.values()], np.float32).reshape(-1, 2)
    detections = Detections(np.zeros((len(scores), 4), np.float32), np.ones(len(scores), np.float32))
    return FrameResult(
        index, index / 10, (64, 48), detections, Prediction(probs, LABELS), np.array(list(scores), np.int64)
    )


def test_a_picture_has_a_bar_for_each_score_of_each_face():
    figure = plot(frame(0, {0: 0.9, 1: 0.25}))
    assert [bar.name for bar in figure.data] == ["Face 1", "Face 2"]
    np.testing.assert_allclose(figure.data[1].x, [0.75, 0.25])
    assert figure.data[1].text == ("75%", "25%")
    assert not plot(frame(0, {})).data


def test_a_video_has_a_curve_for_each_expression_of_the_faces_that_were_there_longest():
    frames = (frame(i, {0: 0.9, 1: 0.1, 2: 0.5, **({3: 0.5} if i == 2 else {})}) for i in range(5))
    figure = plot(frames)
    assert len(figure.data) == 3 * len(LABELS)
    assert [annotation.text for annotation in figure.layout.annotations] == ["Face 1", "Face 2", "Face 3"]
    assert max(figure.data[0].x) == pytest.approx(0.4)
    assert len(plot([frame(0, {}), frame(1, {})]).data) == len(LABELS)


def test_no_frame_is_no_figure():
    with pytest.raises(ValueError, match="at least one frame"):
        plot(iter(()))
