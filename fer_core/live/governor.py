"""Sharing the processor between streams: where they want more than there is, all are analysed less often, evenly.

Without it every stream takes what it gets: frames queue up, pictures stall, and whoever came first or last suffers.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Hashable
from dataclasses import dataclass

# Analysing frames may take so much of the cores; decoding, encoding and sending them take as much again.
SHARE = 0.5
MIN_FPS = 2.0
_MEASURED_S = 3.0  # time constant of what is measured
_GONE_S = 5.0  # a stream that delivered nothing for so long takes nothing
_WAITING = 2.0  # a step counts for so much of its processor time at most
_TOLERANCE = 0.25  # of the time between two frames; they do not come on the dot


def available_cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@dataclass
class _Stream:
    seen_s: float
    camera_fps: float = 0.0
    step_s: float = 0.0
    due_s: float = -math.inf


class Governor:
    """Decides which frames of many streams are analysed. Safe from any thread.

    A stream's step is the processor time that the analysis of a frame takes. Waiting counts only so far: what other
    programs take would not come back to the streams if they asked for less.

    Args:
        cores: that streams may use; those of this process if None.
    """

    def __init__(self, cores: float | None = None) -> None:
        self._capacity = SHARE * (cores or available_cores())
        self._streams: dict[Hashable, _Stream] = {}
        self._lock = threading.Lock()

    def is_due(self, stream: Hashable, now_s: float, delivered: int = 1) -> bool:
        """Return whether a stream's newest frame is to be analysed.

        Args:
            stream: which one.
            now_s: seconds on a clock that all streams share.
            delivered: frames since the last call, this one included.
        """
        with self._lock:
            state = self._streams.setdefault(stream, _Stream(now_s))
            gap_s = now_s - state.seen_s
            if gap_s > 0:
                fps = delivered / gap_s
                state.camera_fps = _nearer(state.camera_fps, fps, gap_s) if state.camera_fps else fps
                state.seen_s = now_s
            every_s = 1 / self._fps(now_s)
            if now_s < state.due_s - _TOLERANCE * min(gap_s, every_s):
                return False
            # Counted from when it was due, so that rates do not fall to the next divisor of the camera's.
            state.due_s = max(state.due_s, now_s - every_s) + every_s
            return True

    def note(self, stream: Hashable, cpu_s: float, wall_s: float) -> None:
        """Take in how much of a processor the analysis of a stream's frame took, and how long, in seconds."""
        step_s = min(wall_s, _WAITING * cpu_s)
        with self._lock:
            if state := self._streams.get(stream):
                gap_s = 1 / max(state.camera_fps, 1.0)
                state.step_s = _nearer(state.step_s, step_s, gap_s) if state.step_s else step_s

    def leave(self, stream: Hashable) -> None:
        """Forget a stream."""
        with self._lock:
            self._streams.pop(stream, None)

    def target_fps(self, now_s: float) -> float:
        """Return how often each stream may be analysed, frames a second; infinite where there is room for all."""
        with self._lock:
            return self._fps(now_s)

    def _fps(self, now_s: float) -> float:
        streams = [state for state in self._streams.values() if now_s - state.seen_s < _GONE_S]
        wanted = sum(state.step_s * state.camera_fps for state in streams)
        if wanted <= self._capacity:
            return math.inf
        # Streams that deliver less than the others leave them the rest.
        rest, fps = self._capacity, 0.0
        for position, state in enumerate(sorted(streams, key=lambda state: state.camera_fps)):
            steps_s = sum(other.step_s for other in sorted(streams, key=lambda each: each.camera_fps)[position:])
            fps = rest / steps_s if steps_s else math.inf
            if fps < state.camera_fps:
                break
            rest -= state.step_s * state.camera_fps
        return max(MIN_FPS, fps)


def _nearer(before: float, now: float, gap_s: float) -> float:
    """Return an exponential average, `gap_s` seconds after it was `before`."""
    return before + (1 - math.exp(-gap_s / _MEASURED_S)) * (now - before)


# Of all streams of this process.
SHARED = Governor()
