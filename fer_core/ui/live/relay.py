"""The way between a stream's parts: only the newest frame waits.

aiortc's relays keep every frame for whoever is slower. Where the encoder cannot keep up with the camera, what is shown
would be older by the second, and the memory fill with pictures.
"""

from __future__ import annotations

from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay


class NewestRelay(MediaRelay):
    """A relay whose tracks give the newest frame to whoever comes late."""

    def subscribe(self, track: MediaStreamTrack, buffered: bool = False) -> MediaStreamTrack:
        """Return a track that gives another one's frames, see aiortc; sound, of which nothing may be left out, all."""
        return super().subscribe(track, buffered=track.kind != "video")
