"""Faces over a session's video: each box lies where the picture shows the face, however the frame was analysed."""

import time
from dataclasses import replace

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.imaging.video import open_video
from fer_core.sessions import videos
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.video_faces import faces_in_video
from fer_core.types import Detections
from tests.sessions.recording import CARD, Clock, frame, recorder_with_video

PATIENCE_S = 60


@pytest.fixture(autouse=True)
def small_reserve(monkeypatch):
    """The machine that runs the tests may have little room."""
    monkeypatch.setattr(videos, "RESERVE_BYTES", 1_000_000)


def scene(box, size_wh):
    """A dark picture with a bright face."""
    image = np.full((size_wh[1], size_wh[0], 3), 20, np.uint8)
    left, top, right, bottom = box
    image[top:bottom, left:right] = 230
    return image


def filmed(database, scenes):
    """Record pictures, each (its number, face's box, size of the picture, whether it was analysed mirrored)."""
    clock = Clock()
    recorder = recorder_with_video(database, clock, mirrored=False)
    for index, box, size_wh, mirrored in scenes:
        clock.now_s += 0.1
        left, top, right, bottom = box
        seen = (size_wh[0] - right, top, size_wh[0] - left, bottom) if mirrored else box
        result = replace(
            frame(index, score=0.4 if index == 1 else 0.7),
            size_wh=size_wh,
            detections=Detections(np.array([seen], np.float32), np.ones(1, np.float32)),
        )
        recorder.add(
            result, settings=RecordedSettings(CARD, None, {"mirrored": mirrored}), image_bgr=scene(box, size_wh)
        )
        while recorder._video._waiting:
            time.sleep(0.01)
    clock.now_s += 0.1
    recorder.add(frame(len(scenes), faces=0), image_bgr=scene((0, 0, 0, 0), (160, 120)))
    recorder.close(PATIENCE_S)
    return recorder.session.again()


def test_boxes_lie_where_the_video_shows_the_face_through_changes_of_mirroring_and_size(database):
    scenes = [
        (0, (20, 30, 60, 80), (160, 120), False),
        (1, (24, 32, 64, 84), (160, 120), True),
        (2, (30, 20, 70, 60), (160, 120), True),
        (3, (60, 40, 140, 120), (320, 240), True),  # the browser sends more
        (4, (60, 40, 140, 120), (320, 240), False),
        (5, (60, 20, 110, 90), (120, 160), False),  # a phone was turned
    ]
    session = filmed(database, scenes)
    video = session.video()
    assert not video.fault and video.size_wh == (160, 120)
    frames = faces_in_video(session, video, session.short_rows(), 0.0, 10.0)
    assert [len(each.faces) for each in frames] == [1] * 6 + [0]
    with open_video(video.path) as opened:
        pictures = {round(video.start_s + each.time_s, 3): each.image_bgr[:, :, 1] for each in opened.frames()}
    for each in frames[:-1]:
        rows, columns = np.nonzero(pictures[each.time_s] > 128)
        shown = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / (160, 120, 160, 120)
        np.testing.assert_allclose(each.faces[0].box, shown, atol=2.5 / 120, err_msg=str(each))
    assert [each.faces[0].expression for each in frames[:-1]] == [3, None, 3, 3, 3, 3]
    assert [each.faces[0].score for each in frames[:2]] == pytest.approx([0.7, 0.4])


def test_a_part_has_its_own_faces_and_corrected_scores_their_own_expression(database):
    session = filmed(database, [(index, (20, 30, 60, 80), (160, 120), False) for index in range(5)])
    rows = session.short_rows()
    rows = rows[rows["time_s"] > 0.15].assign(**{label: 0.9 if label == LABELS[5] else 0.0 for label in LABELS})
    frames = faces_in_video(session, session.video(), rows, 0.2, 0.3)
    assert [each.time_s for each in frames] == [0.2, 0.3]
    assert [each.faces[0].expression for each in frames] == [5, 5]
    assert faces_in_video(session, session.video(), rows, 5.0, 6.0) == []
