import numpy as np
import pytest

from fer_core.types import Detections, FrameResult, Prediction

BOXES = np.zeros((2, 4), np.float32)
PROBS = np.array([[0.2, 0.8], [0.9, 0.1]], np.float32)


def test_detections_check_their_shapes():
    with pytest.raises(ValueError, match=r"\(n, 4\)"):
        Detections(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="score"):
        Detections(BOXES, np.zeros(3, np.float32))


def test_prediction_names_the_best_label_of_each_face():
    assert Prediction(PROBS, ("a", "b")).top == ["b", "a"]


def test_prediction_checks_its_shape():
    with pytest.raises(ValueError, match="probs"):
        Prediction(PROBS, ("a", "b", "c"))


def test_a_result_needs_as_many_predictions_as_faces():
    with pytest.raises(ValueError, match="expected 2 predictions"):
        FrameResult(
            0, 0.0, (1, 1), Detections(BOXES, np.zeros(2, np.float32)), Prediction(PROBS[:1], ("a", "b")), np.arange(2)
        )
