"""A network camera: read once for all who look, connected again by itself whenever it is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fer_core.errors import MediaError
from fer_core.imaging.network_camera import open_camera
from fer_core.live.feeds.feed import LONGEST_PX, MOST_FPS, Feed, FeedFrame
from fer_core.settings import NetworkCamera

logger = logging.getLogger(__name__)

ANSWER_S = 3.5  # so long a camera may say nothing; viewers are told half a second later
_FIRST_RETRY_S, _LAST_RETRY_S = 1.0, 15.0


@dataclass(frozen=True)
class _Loss:
    """Why there are no pictures, since when, and when it is tried again, seconds on the feed's clock."""

    reason: str
    since_s: float
    retry_s: float


class CameraFeed(Feed):
    """Reads a network camera. After a loss it tries again after 1, 2, 4, … and at most 15 seconds.

    Args:
        camera: its name and address.
        clock: monotonic seconds.
    """

    def __init__(self, camera: NetworkCamera, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(camera.name)
        self._camera, self._clock = camera, clock
        self._loss: _Loss | None = None

    @property
    def problem(self) -> str:
        """Why no pictures come, since when, and when it is tried again."""
        if (loss := self._loss) is None:
            return ""
        now_s = self._clock()
        left_s = max(loss.retry_s - now_s, 0.0)
        again = f"Trying again in {left_s:.0f} s" if left_s >= 0.5 else "Trying again now"
        return f"{self.name} has sent no picture for {now_s - loss.since_s:.0f} s. {loss.reason} {again}."

    @property
    def ended(self) -> bool:
        """Never: it is tried again as long as anybody looks."""
        return False

    def _run(self, stop: threading.Event) -> None:
        self._loss, tries, last_s = None, 0, self._clock()
        while not stop.is_set():
            try:
                with open_camera(self._camera.url, ANSWER_S, MOST_FPS, LONGEST_PX) as pictures:
                    for image_bgr in pictures:
                        if stop.is_set():
                            return
                        if self._loss:
                            logger.info("Network camera %s sends pictures again.", self.name)
                        self._loss, tries, last_s = None, 0, self._clock()
                        self._publish(FeedFrame(image_bgr, last_s), stop)
                continue
            except MediaError as error:
                reason = str(error)
            except Exception as error:  # a thread that ends without a word would leave viewers waiting
                logger.exception("Network camera %s cannot be read.", self.name)
                reason = f"It cannot be read ({type(error).__name__})."
            if stop.is_set():
                return
            wait_s = min(_FIRST_RETRY_S * 2**tries, _LAST_RETRY_S)
            if self._loss is None or self._loss.reason != reason:
                logger.warning("Network camera %s: %s", self.name, reason)
            self._loss, tries = _Loss(reason, last_s, self._clock() + wait_s), tries + 1
            stop.wait(wait_s)


_feeds: dict[NetworkCamera, CameraFeed] = {}
_feeds_lock = threading.Lock()


def camera_feed(camera: NetworkCamera) -> CameraFeed:
    """Return the feed of a camera, the same for all viewers of this process."""
    with _feeds_lock:
        return _feeds.setdefault(camera, CameraFeed(camera))
