"""Who may stream when more people want to than the server can serve: first come, first served."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

OFFER_S = 30.0  # so long a place that has become free is kept for whoever is next
SILENT_S = 60.0  # so long a stream that delivers nothing keeps its place
_WAITING_S = 15.0  # so long whoever waits may say nothing; a page that waits asks every few seconds


class Seats:
    """A number of places, and a queue for them. Safe from any thread.

    Args:
        limit: places.
        clock: monotonic seconds.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._seated: dict[str, float] = {}  # viewer: when last seen
        self._offers: dict[str, float] = {}  # viewer: until when a place is kept
        self._queue: dict[str, float] = {}  # viewer: when last heard, the first in line first

    def ahead(self, viewer: str) -> int | None:
        """Return how many wait before a viewer; None if they may take a place now. Whoever may not is in the queue.

        Ask again every few seconds: who no longer asks loses the place in the queue.
        """
        with self._lock:
            now_s = self._update()
            if viewer in self._seated or viewer in self._offers or (not self._queue and self._free > 0):
                return None
            self._queue[viewer] = now_s
            self._offer(now_s)
            return None if viewer in self._offers else list(self._queue).index(viewer)

    def take(self, viewer: str) -> bool:
        """Take a place; return whether there was one. Whoever has one keeps it."""
        with self._lock:
            now_s = self._update()
            if viewer not in self._seated and viewer not in self._offers and (self._queue or self._free <= 0):
                return False
            self._offers.pop(viewer, None)
            self._seated[viewer] = now_s
            return True

    def seen(self, viewer: str) -> None:
        """Note that a viewer's stream runs."""
        with self._lock:
            if viewer in self._seated:
                self._seated[viewer] = self._clock()

    def leave(self, viewer: str) -> None:
        """Give back a place, or go out of the queue."""
        with self._lock:
            for places in (self._seated, self._offers, self._queue):
                places.pop(viewer, None)

    @property
    def _free(self) -> int:
        return self.limit - len(self._seated) - len(self._offers)

    def _update(self) -> float:
        """Free what nobody uses any more, and offer it to the next; return the time."""
        now_s = self._clock()
        self._seated = {viewer: seen_s for viewer, seen_s in self._seated.items() if now_s - seen_s < SILENT_S}
        self._offers = {viewer: until_s for viewer, until_s in self._offers.items() if now_s < until_s}
        self._queue = {viewer: heard_s for viewer, heard_s in self._queue.items() if now_s - heard_s < _WAITING_S}
        self._offer(now_s)
        return now_s

    def _offer(self, now_s: float) -> None:
        while self._queue and self._free > 0:
            viewer = next(iter(self._queue))
            del self._queue[viewer]
            self._offers[viewer] = now_s + OFFER_S
