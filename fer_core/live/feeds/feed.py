"""Pictures that come from the server's side instead of a viewer's browser: the same for one viewer or several."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fer_core.sessions.media_time import MediaTime

# As of a viewer's camera: every picture is encoded again for the way back, so more of them would only cost time.
MOST_FPS = 20.0
LONGEST_PX = 960


@dataclass(frozen=True, eq=False)
class FeedFrame:
    """A picture of a feed.

    Attributes:
        image_bgr: uint8 (h, w, 3); nobody may change it.
        time_s: rising, seconds on a clock of the feed.
        media: where it is in a clip; None for a network camera.
    """

    image_bgr: np.ndarray
    time_s: float
    media: MediaTime | None = None


Receiver = Callable[[FeedFrame | None], None]


class Feed(ABC):
    """Reads pictures in a thread of its own as long as anybody wants them.

    Args:
        name: what viewers know it by.

    Attributes:
        name: as given.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._receivers: list[Receiver] = []
        self._stop = threading.Event()

    def subscribe(self, receive: Receiver) -> Callable[[], None]:
        """Give every picture to a receiver from now on; return what ends that.

        Args:
            receive: called in the feed's thread with each picture, and with None when there will be no more.
        """
        with self._lock:
            self._receivers.append(receive)
            if len(self._receivers) == 1:
                self._stop = threading.Event()
                threading.Thread(target=self._run, args=(self._stop,), name=f"feed {self.name}", daemon=True).start()

        def unsubscribe() -> None:
            with self._lock:
                if receive in self._receivers:
                    self._receivers.remove(receive)
                if not self._receivers:
                    self._stop.set()

        return unsubscribe

    @property
    @abstractmethod
    def problem(self) -> str:
        """Why no pictures come, as text for viewers; empty if they do."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether no more pictures will come."""

    @abstractmethod
    def _run(self, stop: threading.Event) -> None:
        """Publish pictures until `stop` is set."""

    def _publish(self, frame: FeedFrame | None, stop: threading.Event) -> None:
        """Give a picture, or None at the end, to all receivers of the thread that `stop` belongs to."""
        with self._lock:
            receivers = [] if stop.is_set() else list(self._receivers)
            if frame is None and receivers:
                self._receivers.clear()  # whoever subscribes next begins anew
                stop.set()
        for receive in receivers:
            receive(frame)
