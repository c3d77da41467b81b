import numpy as np
import pytest

from fer_core.explain.occlusion import occlusion
from fer_core.models.bundle import load_bundle
from fer_core.models.classifier import LiteRTClassifier
from tests.drawn_faces import demo_set


class Spot:
    """Scores how bright one square of four pixels is; counts its calls."""

    def __init__(self, top: int, left: int) -> None:
        self.at, self.calls = (slice(top, top + 4), slice(left, left + 4)), 0

    def classify(self, faces: np.ndarray, label_set: str | None = None) -> np.ndarray:
        self.calls += 1
        bright = faces[:, *self.at].mean(axis=(1, 2)) / 255
        return np.stack([bright, 1 - bright], axis=1).astype(np.float32)


@pytest.fixture
def face():
    image = np.full((48, 48), 40, np.uint8)
    image[20:24, 8:12] = 240
    return image


def test_what_a_score_depends_on_is_above_zero_and_the_opposite_score_is_its_negative(face):
    spot = Spot(20, 8)
    maps = occlusion(spot, face)
    assert maps.shape == (2, 48, 48) and maps.dtype == np.float32
    assert spot.calls == 1
    inside = np.zeros((48, 48), bool)
    inside[16:28, 4:16] = True  # every square that touches the spot
    assert (maps[0][inside] > 0).all()
    assert (maps[0][~inside] == 0).all()
    assert np.unravel_index(maps[0].argmax(), maps[0].shape) == (20, 8)
    np.testing.assert_allclose(maps[1], -maps[0], atol=1e-6)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (44, 44), (0, 44)])
def test_the_rim_is_covered_too(top, left):
    image = np.full((48, 48), 40, np.uint8)
    image[top : top + 4, left : left + 4] = 240
    fall = occlusion(Spot(top, left), image)[0]
    assert fall[top : top + 4, left : left + 4].min() == fall.max() > 0


def test_a_flat_face_has_nothing_to_cover():
    assert not occlusion(Spot(0, 0), np.full((48, 48), 90, np.uint8)).any()


def test_the_falls_of_all_emotions_cancel_out():
    bundle = load_bundle()
    maps = occlusion(LiteRTClassifier(bundle.content, bundle.card.labels), demo_set(70).images[0])
    assert maps.shape == (7, 48, 48)
    assert np.abs(maps).max() <= 1
    np.testing.assert_allclose(maps.sum(axis=0), 0, atol=1e-5)
