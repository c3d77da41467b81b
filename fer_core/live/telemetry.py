"""What a live stream has done lately: its rates, and the scores of the last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from fer_core.types import FrameResult

RATE_WINDOW_S = 2.0
HISTORY_S = 60.0
HISTORY_STEP_S = 0.5


@dataclass(frozen=True)
class Rates:
    """How fast a stream runs, over the last two seconds.

    Attributes:
        camera_fps: frames per second that the camera delivered.
        analysed_fps: frames per second that were analysed.
        frame_ms: mean milliseconds to analyse and draw a frame, 0 where none was analysed.
    """

    camera_fps: float = 0.0
    analysed_fps: float = 0.0
    frame_ms: float = 0.0


@dataclass(frozen=True, eq=False)
class Moment:
    """The scores of all faces at one time.

    Attributes:
        time_s: seconds on the stream's clock.
        probs: track number to float32 (k,), the scores of that face.
    """

    time_s: float
    probs: dict[int, np.ndarray]


class RateMeter:
    """Counts frames in a sliding window. Not thread-safe.

    Args:
        start_s: when counting begins, seconds on the clock of all later times.
    """

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._frames: deque[tuple[float, int, float | None]] = deque()

    def add(self, time_s: float, delivered: int, ms: float | None) -> None:
        """Count one analysed frame that took `ms` (None: it failed) out of `delivered` camera frames."""
        self._frames.append((time_s, delivered, ms))
        while self._frames[0][0] < time_s - RATE_WINDOW_S:
            self._frames.popleft()

    def rates(self, now_s: float) -> Rates:
        """Return the rates of the window that ends now; a stream that stalls falls to 0."""
        recent = [frame for frame in self._frames if frame[0] > now_s - RATE_WINDOW_S]
        # A stream that has just begun is not measured over seconds in which it did not run.
        span_s = min(max(now_s - self._start_s, 0.5), RATE_WINDOW_S)
        took_ms = [ms for _, _, ms in recent if ms is not None]
        return Rates(
            camera_fps=sum(delivered for _, delivered, _ in recent) / span_s,
            analysed_fps=len(took_ms) / span_s,
            frame_ms=sum(took_ms) / len(took_ms) if took_ms else 0.0,
        )


class History:
    """Keeps the last minute of scores, a few moments per second. Not thread-safe."""

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque()

    def add(self, result: FrameResult, time_s: float) -> None:
        """Keep the scores of `result`, unless the last ones kept are too recent."""
        if self._moments and time_s - self._moments[-1].time_s < HISTORY_STEP_S:
            return
        probs = dict(zip(result.track_id.tolist(), result.prediction.probs, strict=True))
        self._moments.append(Moment(time_s, probs))
        while self._moments[0].time_s < time_s - HISTORY_S:
            self._moments.popleft()

    def moments(self) -> tuple[Moment, ...]:
        """Return what is kept, oldest first."""
        return tuple(self._moments)
