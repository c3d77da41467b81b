"""A feed as the video track that a stream takes instead of a browser's camera."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from fer_core.live.feeds.feed import Feed, FeedFrame
from fer_core.ui.live.codec import to_frame

_TIME_BASE = Fraction(1, 90_000)  # RTP's clock of video


class FeedTrack(MediaStreamTrack):
    """Gives the newest picture of a feed; where the clip's time matters, it is the frame's `opaque`.

    Args:
        feed: read from the first picture that is asked for until the track is stopped.
    """

    kind = "video"

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        self._unsubscribe: Callable[[], None] | None = None
        self._newest: Any = None
        self._last_pts = -1
        self._done = False
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def recv(self) -> Any:
        """Return the next picture, an `av.VideoFrame`.

        Raises:
            MediaStreamError: the feed has ended, or the track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        if self._unsubscribe is None:
            self._loop = asyncio.get_running_loop()
            self._unsubscribe = self._feed.subscribe(self._receive)
        while self._newest is None and not self._done:
            self._changed.clear()
            await self._changed.wait()
        if self.readyState != "live":
            raise MediaStreamError
        if self._newest is None:
            self.stop()
            raise MediaStreamError
        frame, self._newest = self._newest, None
        return frame

    def stop(self) -> None:
        """Let go of the feed, and let whoever waits for a picture go on. Any thread may call it."""
        super().stop()
        if self._unsubscribe:
            self._unsubscribe()
        self._tell(None)

    def _receive(self, picture: FeedFrame | None) -> None:
        """Take in a picture, in the feed's thread."""
        frame = None
        if picture is not None:
            frame = to_frame(picture.image_bgr)
            self._last_pts = max(round(picture.time_s / _TIME_BASE), self._last_pts + 1)
            frame.pts, frame.time_base, frame.opaque = self._last_pts, _TIME_BASE, picture.media
        self._tell(frame)

    def _tell(self, frame: Any) -> None:
        def change() -> None:
            self._newest = frame if frame is not None else self._newest
            self._done |= frame is None
            self._changed.set()

        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(change)


class FeedPlayer:
    """What streamlit-webrtc takes as the player of a stream.

    Args:
        feed: what it plays.

    Attributes:
        video: the feed's pictures.
        audio: None, there is no sound.
    """

    def __init__(self, feed: Feed) -> None:
        self.video = FeedTrack(feed)
        self.audio = None
