import numpy as np
import pytest

from fer_core.recognition.camera_motion import camera_shift
from fer_core.recognizer import EmotionRecognizer


@pytest.fixture(scope="module")
def wide():
    """A room 1920 pixels wide with six people in it, gray and blurred enough for no edge to be sharp."""
    from tests.scenes import scene_drawer

    draw = scene_drawer()
    sides = [[(180, 200, 100), (460, 260, 115)], [(150, 260, 120), (450, 180, 95)], [(170, 220, 110), (470, 250, 105)]]
    image = np.hstack([draw(*faces) for faces in sides])
    noise = np.random.default_rng(0).normal(0, 25, (12, 48)).repeat(40, axis=0).repeat(40, axis=1)[..., None]
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def view(wide, left):
    return wide[:, left : left + 640]


@pytest.mark.parametrize("shift", [40, 120, -90])
def test_a_turn_of_the_camera_is_told_within_a_few_pixels(wide, shift):
    before, now = view(wide, 600)[..., 1], view(wide, 600 + shift)[..., 1]
    np.testing.assert_allclose(camera_shift(before, now), [-shift, 0], atol=8)


def test_a_still_camera_and_another_scene_have_not_moved(wide):
    still, other = view(wide, 0)[..., 1], np.random.default_rng(1).integers(0, 255, (480, 640), np.uint8)
    assert not camera_shift(still, still).any()
    assert not camera_shift(still, other).any()


@pytest.mark.parametrize("fps", [5, 3])
def test_six_people_get_six_numbers_when_a_camera_pans_over_them_on_a_busy_server(wide, fps):
    stream, people = EmotionRecognizer(threads=1).stream(), {}
    for number in range(7 * fps):  # at the end it rests
        left = min(1280, round(300 * number / fps))
        result = stream.process(view(wide, left), number / fps)
        for track, xyxy in zip(result.track_id.tolist(), result.detections.xyxy, strict=True):
            people.setdefault(track, set()).add(int((xyxy[0] + xyxy[2]) / 2 + left) // 320)
    assert sorted(people.values(), key=min) == [{person} for person in range(6)]
