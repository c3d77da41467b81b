"""Faces in copies are hidden, also where the detector loses them for a while."""

import numpy as np
import pytest

from fer_core.detection.haar import HaarDetector
from fer_core.imaging.video import open_video
from fer_core.media.analysis import Choices, analyze_files, copy_path
from fer_core.media.blur import BEFORE_S, KEPT_S, RecordingDetector, VideoBlur, blur_faces
from fer_core.recognizer import EmotionRecognizer

FACE = np.array([[240, 170, 360, 290]], np.float32)
NOBODY = np.empty((0, 4), np.float32)


def hidden(image, original, xyxy=FACE[0]):
    """Return whether the details within a box are gone, and its neighbourhood's are not touched needlessly."""
    left, top, right, bottom = xyxy.astype(int)
    details = [np.abs(np.diff(each[top:bottom, left:right].astype(int), axis=1)).mean() for each in (image, original)]
    return details[0] < 0.35 * details[1]


def run(scene, seen, fps=10):
    """Blur copies of a scene: seen[i] tells whether the face is found in frame i. Return the frames, in order."""
    blur, frames = VideoBlur(), []
    for index, face in enumerate(seen):
        frames += blur.add(scene, index / fps, FACE if face else NOBODY, index)
    frames += blur.flush()
    assert [extra for _, extra in frames] == list(range(len(seen)))
    return [image for image, _ in frames]


def test_a_picture_keeps_nothing_of_a_face_and_all_of_the_rest(draw_scene):
    scene = draw_scene((300, 230, 120))
    blurred = blur_faces(scene, FACE)
    assert hidden(blurred, scene) and not len(HaarDetector().detect(blurred[:, :, 0].copy()))
    np.testing.assert_array_equal(blurred[:, :150], scene[:, :150])
    assert not np.shares_memory(blurred, scene)


def test_a_lost_face_stays_hidden_where_it_last_was_for_the_time_that_is_promised(draw_scene):
    scene = draw_scene((300, 230, 120))
    frames = run(scene, [True] * 5 + [False] * 40)
    last_s, times_s = 0.4, np.arange(45) / 10
    kept = np.array([hidden(frame, scene) for frame in frames])
    np.testing.assert_array_equal(kept, times_s <= last_s + KEPT_S + 1e-6)


def test_a_face_is_hidden_before_it_is_first_found(draw_scene):
    scene = draw_scene((300, 230, 120))
    frames = run(scene, [False] * 10 + [True] * 5)
    assert [hidden(frame, scene) for frame in frames] == [index / 10 >= 1.0 - BEFORE_S - 1e-6 for index in range(15)]


def test_a_mouth_that_is_taken_for_a_face_does_not_uncover_it(draw_scene):
    scene, mouth = draw_scene((300, 230, 120)), np.array([[280, 250, 320, 290]], np.float32)
    blur = VideoBlur()
    frames = [*blur.add(scene, 0.0, FACE, 0), *blur.add(scene, 0.1, mouth, 1), *blur.add(scene, 0.2, mouth, 2)]
    frames += blur.flush()
    assert len(frames) == 3 and all(hidden(image, scene) for image, _ in frames)


def test_memory_does_not_grow_with_the_video(draw_scene):
    blur, scene = VideoBlur(), draw_scene()
    for index in range(300):
        for _ in blur.add(scene, index / 10, FACE, index):
            pass
    assert sum(len(place.boxes) for place in blur._places) <= (KEPT_S + BEFORE_S) * 10 + 2


def test_boxes_that_are_never_confirmed_are_recorded(draw_scene):
    detector = RecordingDetector(HaarDetector())
    gray = draw_scene((300, 230, 120))[:, :, 1].copy()
    assert len(detector.confirm(gray, detector.propose(gray))) == len(detector.take()) == 1
    assert not len(detector.take())


def test_no_face_of_a_real_clip_can_be_found_in_its_copy(media_path, tmp_path):
    clip = media_path / "one_face.mp4"
    with (tmp_path / "table.csv").open("w") as table:
        choices = Choices(annotated=tmp_path, blur=True, end_s=2.0)
        (outcome,) = analyze_files(EmotionRecognizer(), {clip.name: clip}, table, choices)
    assert outcome["sound"] == "none" and outcome["frames"] > 40
    detector = HaarDetector()
    with open_video(copy_path(clip, tmp_path)) as copy:
        assert not any(len(detector.detect(frame.image_bgr[:, :, 1].copy())) for frame in copy.frames(0.1))


@pytest.mark.parametrize("xyxy", [[-50, -50, 30, 30], [600, 440, 700, 540], [700, 500, 800, 600]])
def test_boxes_at_and_beyond_the_edge(draw_scene, xyxy):
    assert blur_faces(draw_scene(), np.array([xyxy], np.float32)).shape == (480, 640, 3)
