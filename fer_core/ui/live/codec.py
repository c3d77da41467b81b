"""Frames between WebRTC and OpenCV, and the encoder of what is sent back, both for little processor time.

aiortc's VP8 settings are those of a call between two people: noise of the camera is filtered out once more, and a fifth
of the time goes into a picture that is hardly better. A server of many streams encodes each of them.
"""

from __future__ import annotations

from fractions import Fraction

import aiortc.codecs
import av
import av.error
import cv2
import numpy as np
from aiortc.codecs.vpx import Vp8Encoder

_GOP = 3000  # frames; browsers ask for a whole picture when they need one
_CLOCK = Fraction(1, 90_000)  # RTP's
_RETUNE = 0.1  # aiortc, too, begins a new encoder where the bit rate changes by more


class LightVp8Encoder(Vp8Encoder):
    """aiortc's encoder with faster settings: half the processor time, half a decibel less."""

    def encode(self, frame: av.VideoFrame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Encode a frame; see aiortc. One whose time cannot be is left out, and the next one is sent whole."""
        codec = self.codec
        if (
            codec is None
            or (codec.width, codec.height) != (frame.width, frame.height)
            or abs(self.target_bitrate - codec.bit_rate) / codec.bit_rate > _RETUNE
        ):
            self.codec = _new_codec(frame.width, frame.height, self.target_bitrate)
        try:
            return super().encode(frame, force_keyframe)
        except av.error.InvalidDataError:
            # On a busy server a picture is sent again while the next is made, and gets its new time meanwhile: an
            # encoder that began with a time from between refuses what is before. Raised on, that would freeze the
            # viewer's video for good.
            self.codec = None
            return [], 0


def use_light_encoder() -> None:
    """Let all streams that begin in this process be encoded by `LightVp8Encoder`."""
    aiortc.codecs.Vp8Encoder = LightVp8Encoder  # there is no public way


def to_bgr(frame: av.VideoFrame) -> np.ndarray:
    """Return a decoded frame as uint8 (h, w, 3) BGR."""
    if frame.width % 2 or frame.height % 2:  # OpenCV has no chroma of half a pixel
        return frame.to_ndarray(format="bgr24")
    # OpenCV takes half as long as FFmpeg from YUV, and a fifth to it.
    return cv2.cvtColor(frame.to_ndarray(format="yuv420p"), cv2.COLOR_YUV2BGR_I420)


def to_frame(image_bgr: np.ndarray) -> av.VideoFrame:
    """Return a picture, uint8 (h, w, 3) BGR, as a frame in the encoder's format."""
    if image_bgr.shape[0] % 2 or image_bgr.shape[1] % 2:
        return av.VideoFrame.from_ndarray(image_bgr, format="bgr24")
    return av.VideoFrame.from_ndarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2YUV_I420), format="yuv420p")


def _new_codec(width: int, height: int, bit_rate: int) -> av.VideoCodecContext:
    codec = av.VideoCodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base = _CLOCK  # another one would be written into frames that somebody else works on, too
    codec.bit_rate, codec.gop_size, codec.qmin, codec.qmax = bit_rate, _GOP, 2, 56
    rate = str(bit_rate)
    codec.options = {
        "deadline": "realtime",
        "lag-in-frames": "0",
        "cpu-used": "-12",  # faster than aiortc's -6
        "noise-sensitivity": "0",  # aiortc has 4, the most
        "static-thresh": "1",
        "minrate": rate,
        "maxrate": rate,
        "bufsize": rate,
        "undershoot-pct": "100",
        "overshoot-pct": "15",
    }
    codec.thread_count = 1  # on a busy server, threads that wait for one another by spinning take ten times as long
    return codec
