import cv2
import numpy as np
import pytest

from fer_core.detection import proposals
from fer_core.detection.proposals import SQUARE_PX, PlaceFinder, normalized
from fer_core.errors import ModelError


@pytest.fixture(scope="module")
def finder():
    return PlaceFinder()


@pytest.fixture(scope="module")
def gray(draw_scene):
    return lambda *faces: cv2.cvtColor(draw_scene(*faces), cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("side", [24, 40, 70, 130, 300])
@pytest.mark.parametrize("tilt_deg", [-15, 0, 15])
def test_the_likeliest_place_is_the_face(finder, gray, side, tilt_deg):
    turn = cv2.getRotationMatrix2D((330, 240), tilt_deg, 1.0)
    image = cv2.warpAffine(gray((330, 240, side)), turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    places = finder.propose(image, 0.0)
    assert (np.diff(places.score) <= 0).all()
    left, top, right, bottom = places.xyxy[0]
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((330, 240), abs=0.3 * side)
    assert right - left == pytest.approx(side, rel=0.55)


def test_a_face_may_fill_the_picture(finder, gray):
    face = gray((330, 240, 100))[190:290, 280:380]
    assert len(finder.propose(cv2.resize(face, (24, 24), interpolation=cv2.INTER_AREA), 0.0).score) == 1


@pytest.mark.parametrize("shape", [(1, 1), (10, 300), (16, 16)])
def test_a_picture_too_small_for_a_face_has_no_places(finder, shape):
    assert len(finder.propose(np.zeros(shape, np.uint8), -99.0).score) == 0


def test_a_picture_in_strips_has_the_places_of_the_whole(finder, gray, monkeypatch):
    image = gray((150, 140, 60), (330, 240, 90), (500, 340, 50))
    whole = finder.propose(image, 0.0)
    monkeypatch.setattr(proposals, "_STRIP_PIXELS", 20_000)
    strips = finder.propose(image, 0.0)
    np.testing.assert_allclose(strips.xyxy, whole.xyxy, atol=0.1)
    np.testing.assert_allclose(strips.score, whole.score, atol=0.01)


def test_light_and_contrast_do_not_count(gray):
    image = gray((330, 240, 90))
    dim = (image * 0.5 + 60).astype(np.uint8)
    area = np.s_[200:280, 290:370]
    one, other = normalized(image, 0, 480)[area], normalized(dim, 0, 480)[area]
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99
    assert other.std() > 0.8 * one.std()


def test_a_flat_picture_is_nothing_but_zeros():
    assert not normalized(np.full((60, 80), 90, np.uint8), 0, SQUARE_PX).any()


def test_a_missing_network_is_an_error_that_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(proposals, "_FILE", tmp_path / "face_places.onnx")
    with pytest.raises(ModelError, match="cannot be read: .*face_places.onnx"):
        PlaceFinder()
