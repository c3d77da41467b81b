import cv2
import numpy as np
import pytest

from fer_core.explain.overlay import overlay


def lab_of(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def test_without_heat_a_face_stays_gray():
    rgb = overlay(np.arange(256, dtype=np.uint8)[None], np.zeros((1, 256)))
    assert rgb.shape == (1, 256, 3) and rgb.dtype == np.uint8
    assert np.ptp(rgb.astype(int), axis=2).max() <= 1


@pytest.mark.parametrize("sign", [1, -1])
def test_colour_grows_evenly_with_heat(sign):
    heat = sign * np.linspace(0, 1, 11)[None]
    lab = lab_of(overlay(np.full((1, 11), 140, np.uint8), heat))[0]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    np.testing.assert_allclose(np.diff(chroma), chroma[-1] / 10, rtol=0.2)


def test_for_is_yellowish_and_against_bluish():
    lab = lab_of(overlay(np.full((1, 2), 140, np.uint8), np.array([[1.0, -1.0]])))[0]
    assert lab[0, 2] > 40 and lab[1, 2] < -35


def test_the_face_can_be_seen_below_the_strongest_heat():
    lightness = lab_of(overlay(np.arange(0, 256, 15, dtype=np.uint8)[None], np.ones((1, 18))))[0, :, 0]
    assert (np.diff(lightness) > 0).all()
    assert np.ptp(lightness) > 25


def test_heat_beyond_one_counts_as_one():
    face = np.full((1, 1), 100, np.uint8)
    np.testing.assert_array_equal(overlay(face, np.array([[3.0]])), overlay(face, np.array([[1.0]])))
