"""End to end on real faces: FER-2013 test faces pasted into scenes, found, cropped, classified."""

import numpy as np

from fer_core.evaluation.end_to_end import measure_end_to_end
from fer_core.recognizer import EmotionRecognizer


def test_pasted_faces_are_found_and_classified_like_cropped_ones(fer2013, capsys):
    rows = fer2013.rows_of("PublicTest")[:100]
    line = measure_end_to_end(EmotionRecognizer(), fer2013.images[rows], fer2013.labels[rows])
    with capsys.disabled():
        print(
            f"\n{line.faces} pasted faces: {line.found:.1%} found, {line.extra:.3f} extra detections a scene, "
            f"{line.accuracy_drop:+.1f} points of accuracy lost on the way"
        )
    assert line.found >= 0.6
    assert line.extra <= 0.05
    assert line.accuracy_drop <= 8


def test_scenes_without_a_face_to_find_give_no_accuracy():
    blank = np.full((3, 48, 48), 128, np.uint8)
    line = measure_end_to_end(EmotionRecognizer(), blank, np.zeros(3, int))
    assert line.found == 0
    assert np.isnan(line.accuracy_drop)
