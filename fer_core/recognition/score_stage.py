"""The last step of a stream: scores smoothed over time, labels held against flicker, baselines taken off.

It needs each frame's own scores and nothing of the picture, so it costs next to nothing, and may be done later and
elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from fer_core.recognition.baseline import Baseline
from fer_core.recognition.hysteresis import LabelHysteresis
from fer_core.recognition.smoothing import ScoreSmoother
from fer_core.recognition.stream_settings import StreamSettings
from fer_core.recognition.tracker import MAX_HOLD_S
from fer_core.types import FrameResult, Prediction


class ScoreStage:
    """Makes of single frames' scores those to show. One for each stream; not thread-safe."""

    def __init__(self) -> None:
        self._smoother, self._second_smoother = ScoreSmoother(MAX_HOLD_S), ScoreSmoother(MAX_HOLD_S)
        self._labels = LabelHysteresis(MAX_HOLD_S)

    def reset(self) -> None:
        """Forget all faces."""
        for memory in (self._smoother, self._second_smoother, self._labels):
            memory.reset()

    def apply(self, observed: FrameResult, settings: StreamSettings) -> FrameResult:
        """Return the next frame with smoothed scores, and with its own as `unsmoothed`.

        Args:
            observed: the frame with its own scores; its time is not before that of the frame before.
            settings: how scores are smoothed, labels held and baselines taken off.
        """
        ids, time_s, labels = observed.track_id.tolist(), observed.time_s, observed.prediction.labels
        unsmoothed = observed.prediction.probs
        probs = self._smoother.update(ids, unsmoothed, time_s, settings.smoothing_s)
        result = dataclasses.replace(observed, prediction=Prediction(probs, labels), unsmoothed=unsmoothed)
        if observed.second is not None:
            second = self._second_smoother.update(ids, observed.second.probs, time_s, settings.smoothing_s)
            result = dataclasses.replace(result, second=Prediction(second, labels))
        if settings.hysteresis is not None:
            shown = self._labels.update(ids, probs, time_s, settings.hysteresis)
            result = dataclasses.replace(result, shown=tuple(shown))
        if settings.baselines:
            result = dataclasses.replace(result, corrected=_corrected(result, settings.baselines))
        return result


def _corrected(result: FrameResult, baselines: Mapping[int, Baseline]) -> np.ndarray | None:
    """Return the faces' corrected scores; None if none of them has a baseline."""
    corrected = np.full_like(result.prediction.probs, np.nan)
    for row, track_id in enumerate(result.track_id.tolist()):
        if baseline := baselines.get(track_id):
            corrected[row] = baseline.correct(result.prediction.probs[row])
    return None if np.isnan(corrected).all() else corrected
