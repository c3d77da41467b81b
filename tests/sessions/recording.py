"""Sessions for tests: a model's card, frames without a camera, and recorders whose clock a test moves."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from fer_core.emotions import LABELS
from fer_core.models.card import ModelCard
from fer_core.sessions.recorder import Recorder
from fer_core.sessions.settings_log import RecordedSettings
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
