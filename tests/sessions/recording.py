"""Sessions for tests: a model's card, frames without a camera, and recorders whose clock a test moves."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from fer_core.emotions import LABELS
from fer_core.imaging.video import open_video
from fer_core.models.card import ModelCard
from fer_core.sessions.recorder import Recorder
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.sessions.studies import Study, keep_answer
from fer_core.types import Detections, FaceQuality, FrameResult, Prediction

CARD = ModelCard("m", "compact", 1, LABELS, calibration={"uncertain_below": 0.5}, files={"model.tflite": "ab"})
BEGAN = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Clock:
    """Monotonic seconds that a test moves."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def frame(index: int, faces: int = 1, best: int = 3, score: float = 0.7) -> FrameResult:
    """Return a frame with some faces that all have the same best score."""
    probs = np.full((faces, 7), (1 - score) / 6, np.float32)
    probs[:, best] = score
    return FrameResult(
        index,
        0.0,
        (64, 48),
        Detections(np.full((faces, 4), index, np.float32), np.ones(faces, np.float32)),
        Prediction(probs, LABELS),
        np.arange(faces),
        FaceQuality(
            np.full(faces, 40, np.float32),
            np.full(faces, 0.5, np.float32),
            np.full(faces, 0.25, np.float32),
            tuple(("blurred", "dark") if face else () for face in range(faces)),
        ),
        unsmoothed=probs[:, ::-1].copy(),
    )


def recorder_of(database, clock=None, card=CARD, began=BEGAN, details=None, **values) -> Recorder:
    """Begin a session in a database."""
    return Recorder(RecordedSettings(card, None, values), details, database, clock or Clock(), lambda: began)


def record(database, frames, clock=None, step_s=0.1, **options):
    """Record some frames, `step_s` apart, and return the session as it is then."""
    clock = clock or Clock()
    recorder = recorder_of(database, clock, **options)
    for result in frames:
        clock.now_s += step_s
        recorder.add(result)
    recorder.close(30)
    return recorder.session.again()


def picture(number, size_wh=(64, 48)):
    """Return a picture by whose brightness its number, up to 55, can be told."""
    return np.full((size_wh[1], size_wh[0], 3), 4 * number + 20, np.uint8)


def number_of(image):
    """Return the number of a picture."""
    return round((float(image[image.shape[0] // 2, image.shape[1] // 2].mean()) - 20) / 4)


def frames_of(path):
    """Return the time and the number of each picture of a video."""
    with open_video(path) as video:
        return [(each.time_s, number_of(each.image_bgr)) for each in video.frames()]


def recorder_with_video(database, clock=None, limit=10**9, **options) -> Recorder:
    """Begin a session whose picture may be kept."""
    recorder = recorder_of(database, clock, **options)
    details = recorder.session.details
    keep_answer(Study(details.study), details.participant, True, recorder.session, database, BEGAN, picture=True)
    recorder.keep_video(limit)
    return recorder
