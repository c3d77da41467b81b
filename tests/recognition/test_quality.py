"""How well faces can be seen: what marks a face, and what does not."""

import cv2
import numpy as np
import pytest

from fer_core.detection.haar import HaarDetector
from fer_core.recognition.crop import crop_faces
from fer_core.recognition.pipeline import analyze_image
from fer_core.recognition.quality import QualityLimits, measure_quality
from fer_core.types import Detections

SIZE_WH = (640, 480)
BOX = np.array([[240, 170, 360, 290]], np.float32)


@pytest.fixture(scope="module")
def face(draw_scene):
    """A portrait's face, uint8 (1, 48, 48)."""
    return crop_faces(cv2.cvtColor(draw_scene((300, 230, 120)), cv2.COLOR_BGR2GRAY), BOX)


def problems(faces, xyxy=BOX, **limits):
    return measure_quality(faces, xyxy, SIZE_WH, QualityLimits(**limits)).problems[0]


def blurred(face, sigma):
    return cv2.GaussianBlur(face[0], (0, 0), sigma)[None]


def test_a_clear_face_is_valid(face):
    quality = measure_quality(face, BOX, SIZE_WH)
    assert quality.problems == ((),)
    assert quality.size_px[0] == 120 and 0.3 < quality.sharpness[0] < 1.2
    assert quality.brightness[0] == pytest.approx(face.mean() / 255, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda face: blurred(face, 2.5), "blurred"),
        (lambda face: (face * 0.08).astype(np.uint8), "dark"),
        (lambda face: np.clip(face * 2.0 + 120, 0, 255).astype(np.uint8), "bright"),
    ],
)
def test_a_face_that_is_hard_to_see_is_marked(face, change, problem):
    assert problem in problems(change(face))


def test_contrast_does_not_count_as_sharpness(face):
    faint = (face * 0.4 + 60).astype(np.uint8)
    sharpness = measure_quality(np.concatenate([face, faint]), np.repeat(BOX, 2, axis=0), SIZE_WH).sharpness
    assert sharpness[1] == pytest.approx(sharpness[0], rel=0.1)


def test_what_shows_nothing_is_not_sharp():
    assert measure_quality(np.full((1, 48, 48), 128, np.uint8), BOX, SIZE_WH).sharpness[0] == 0


@pytest.mark.parametrize(("outside_px", "cut"), [(10, False), (30, True)])
def test_a_box_that_leaves_the_picture_is_cut_off(face, outside_px, cut):
    top = 480 - 100 + outside_px
    assert ("cut off" in problems(face, np.array([[200, top, 300, top + 100]], np.float32))) == cut


def test_limits_can_be_others(face):
    assert problems(face, min_size_px=121) == ("too small",)
    assert problems(blurred(face, 2.5), min_sharpness=0.0) == ()


def test_every_face_of_a_picture_has_its_quality(draw_scene):
    class Even:
        labels = ("a", "b")

        def classify(self, faces, label_set=None):
            return np.full((len(faces), 2), 0.5, np.float32)

    result = analyze_image(draw_scene((160, 230, 120), (460, 240, 130)), HaarDetector(), Even())
    assert len(result) == len(result.quality) == 2
    assert result.to_pandas()["valid"].all()
    assert result.to_dict()["faces"][0]["not_valid_because"] == ""
    empty = analyze_image(draw_scene(), HaarDetector(), Even())
    assert len(empty.quality) == 0 and empty.to_pandas().empty


def test_no_face_has_no_quality():
    none = Detections.empty()
    assert len(measure_quality(np.empty((0, 48, 48), np.uint8), none.xyxy, SIZE_WH)) == 0
