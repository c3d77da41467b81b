"""A clip played at its own speed as if it were a camera, once or in a loop."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fer_core.errors import MediaError
from fer_core.imaging.video import Video, open_video
from fer_core.live.feeds.feed import LONGEST_PX, MOST_FPS, Feed, FeedFrame
from fer_core.sessions.media_time import MediaTime

# Where reading falls so far behind, the clip is played later rather than faster.
_LATE_S = 0.5


class ClipFeed(Feed):
    """Plays a clip. While nobody looks it waits, and goes on where it was.

    Args:
        path: of the clip.
        name: what viewers know it by.
        loop: whether it begins again at its end.
        clock: monotonic seconds.

    Attributes:
        loop: as given; assign to it at any time.
    """

    def __init__(self, path: Path, name: str, loop: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(name)
        self.loop = loop
        self._path, self._clock = path, clock
        self.rewind()

    def rewind(self) -> None:
        """Let it begin anew when somebody looks next."""
        self._next_s, self._earlier_s, self._round = 0.0, 0.0, 1
        self._problem, self._ended = "", False

    @property
    def problem(self) -> str:
        """Why it could not be played to its end."""
        return self._problem

    @property
    def ended(self) -> bool:
        """Whether it was played to its end, or as far as it could be."""
        return self._ended

    @property
    def position_s(self) -> float:
        """Time of the frame that comes next, seconds since the clip's first."""
        return self._next_s

    def _run(self, stop: threading.Event) -> None:
        try:
            while self._play_round(stop):
                pass
        except MediaError as error:
            self._problem = str(error)
        except Exception as error:  # a thread that ends without a word would leave viewers waiting
            self._problem = f"{self.name} cannot be played: {type(error).__name__}: {error}"
        if not stop.is_set():  # whoever is told looks at `ended`
            self._ended = True
            self._publish(None, stop)

    def _play_round(self, stop: threading.Event) -> bool:
        """Play it from where it is to its end; return whether it begins again."""
        with open_video(self._path, self.name) as video:
            step_s = _step_s(video)
            began_s = last_s = None
            for frame in video.frames(step_s, self._next_s, longest_px=LONGEST_PX):
                now_s = self._clock()
                if began_s is None or now_s - began_s - frame.time_s > _LATE_S:
                    began_s = now_s - frame.time_s
                if stop.wait(max(began_s + frame.time_s - now_s, 0.0)):
                    return False
                last_s, self._next_s = frame.time_s, frame.time_s + step_s
                media = MediaTime(frame.time_s, self._earlier_s, self._round)
                self._publish(FeedFrame(frame.image_bgr, media.played_s, media), stop)
            if last_s is None and self._next_s == 0.0:
                raise MediaError(f"{self.name} has no pictures. Choose another clip.")
            length_s = self._next_s if last_s is None else _length_s(video, last_s, step_s)
            if stop.wait(max((began_s or 0.0) + length_s - self._clock(), 0.0)):
                return False
        self._next_s, self._earlier_s, self._round = 0.0, self._earlier_s + length_s, self._round + 1
        return self.loop


def _length_s(video: Video, last_s: float, step_s: float) -> float:
    """Return when the clip's next round begins: what its file tells, if that fits the last frame that was shown."""
    return min(max(video.duration_s or math.inf, last_s + 1 / float(video.rate)), last_s + step_s)


def _step_s(video: Video) -> float:
    """Return the seconds from one frame that is shown to the next: every one, every second one, …"""
    rate = float(video.rate)
    return math.ceil(rate / MOST_FPS - 0.01) / rate
