"""The sound of a video on its way into a copy: packet by packet as it is, or as AAC where MP4 cannot hold it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.container
import av.error
from av.stream import Discard

# What MP4 holds as it is.
_IN_MP4 = ("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus")
# So much before the beginning is copied too: decoders need some sound to start from, and players leave it out.
_PREROLL_S = 0.05
_AAC_RATES = (48_000, 44_100, 96_000, 88_200, 64_000, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)

COPIED, CONVERTED, CUT_OFF = "copied", "converted to AAC", "cut off"


class Sound:
    """The first track of sound of a file that is open.

    Attributes:
        outcome: what became of it, as text: `COPIED`, `CONVERTED`, or `CUT_OFF` and why.
    """

    def __init__(self, container: av.container.InputContainer, begin_s: float, end_s: float) -> None:
        self._begin_s, self._end_s = begin_s, end_s
        self._source = container.streams.audio[0]
        self._packets = container.demux(self._source)
        self._pending: av.Packet | None = None
        codec = self._source.codec_context.codec.canonical_name
        self._copies = codec in _IN_MP4
        self.outcome = COPIED if self._copies else CONVERTED

    def add_to(self, copy: av.container.OutputContainer) -> None:
        """Give a copy its track; nothing may be written to it yet."""
        self._copy = copy
        if self._copies:
            self._track = copy.add_stream_from_template(self._source)
        else:
            context = self._source.codec_context
            rate = context.sample_rate if context.sample_rate in _AAC_RATES else _AAC_RATES[0]
            self._track = copy.add_stream(
                "aac", rate=rate, layout="mono" if context.layout.nb_channels == 1 else "stereo"
            )

    def write_until(self, time_s: float) -> None:
        """Write what is heard before `time_s`, seconds since the copy's first frame."""
        end_s = min(time_s, self._end_s - self._begin_s)
        while (packet := self._next()) is not None and self._time_s(packet) < end_s:
            self._pending = None
            if self._time_s(packet) > -_PREROLL_S:
                self._write(packet)

    def close(self) -> None:
        """Write what an encoder still holds."""
        if not self._copies:
            self._copy.mux(self._track.encode(None))

    def _next(self) -> av.Packet | None:
        """Return the packet that is next, and leave it so; None at the end."""
        try:
            while self._pending is None:
                packet = next(self._packets, None)
                if packet is None:
                    return None
                if packet.pts is not None and packet.size:
                    self._pending = packet
        except av.error.FFmpegError as error:
            self._stop(error)
        return self._pending

    def _stop(self, error: av.error.FFmpegError) -> None:
        self._packets = iter(())
        self.outcome = f"{CUT_OFF}: {error.strerror}"

    def _time_s(self, packet: av.Packet) -> float:
        assert packet.pts is not None  # others are passed over
        return float(packet.pts * packet.time_base) - self._begin_s

    def _write(self, packet: av.Packet) -> None:
        if not self._copies:
            self._convert(packet)
            return
        assert packet.pts is not None
        shift, dts = round(self._begin_s / packet.time_base), packet.pts if packet.dts is None else packet.dts
        packet.pts, packet.dts = packet.pts - shift, dts - shift
        packet.stream = self._track
        self._copy.mux(packet)

    def _convert(self, packet: av.Packet) -> None:
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            self._stop(error)
            return
        for frame in frames:
            frame.pts -= round(self._begin_s / frame.time_base)
            self._copy.mux(self._track.encode(frame))


@contextmanager
def open_sound(path: Path, begin_s: float, end_s: float = math.inf) -> Iterator[Sound | None]:
    """Open the sound of a video for copying; None if it has none.

    Args:
        path: a file that FFmpeg reads.
        begin_s: time of the copy's first frame, seconds by the file's clock.
        end_s: time after which nothing is copied, by the same clock.
    """
    with av.open(str(path)) as container:
        if not container.streams.audio:
            yield None
            return
        # Only sound is read from here.
        for stream in container.streams:
            stream.discard = Discard.default if stream.type == "audio" else Discard.all
        if begin_s > 0:
            container.seek(round(max(0.0, begin_s - 1.0) * av.time_base))
        yield Sound(container, begin_s, end_s)
