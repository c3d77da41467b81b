"""Pictures of a network camera as they come: RTSP, or a video or JPEG stream over HTTP.

An error never names the address, which may hold a password.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import av
import av.container
import av.error
import numpy as np

from fer_core.errors import MediaError
from fer_core.imaging.images import MAX_PIXELS
from fer_core.imaging.video import upright_bgr

# What FFmpeg may use behind an address; without "file", so that no playlist can name a file of this computer.
_PROTOCOLS = "http,https,httpproxy,tcp,tls,udp,rtp,rtcp,rtsp,rtsps,srtp,crypto"
_OPTIONS = {
    "protocol_whitelist": _PROTOCOLS,
    "rtsp_transport": "tcp",  # UDP loses packets, and firewalls let it pass less often
    "fflags": "nobuffer",
    "flags": "low_delay",
    "analyzeduration": "2000000",  # microseconds; by default FFmpeg looks at five seconds before the first picture
}
_EARLY = 0.3  # pictures come unevenly: one that is so much of the time between two too early still counts
_SILENT = 0.9  # share of the time for an answer

_CHECK = "Check that it is switched on and in the network."
_CORRECT = "Ask whoever runs this server to correct its line in the file of cameras."
_NO_VIDEO = f"It answers, but what it sends is no video. {_CORRECT}"
_SILENCE = f"It does not answer. {_CHECK}"


@contextmanager
def open_camera(
    url: str, answer_s: float, most_fps: float, longest_px: int
) -> Generator[Iterator[np.ndarray], None, None]:
    """Connect to a network camera.

    Args:
        url: rtsp, rtsps, http or https, with the name and password that the camera asks for.
        answer_s: so long it may take to answer, and to send its next picture, seconds.
        most_fps: pictures a second that are given; those between are left out.
        longest_px: larger pictures are made smaller.

    Yields:
        Its pictures, uint8 (h, w, 3), without end.

    Raises:
        MediaError: it cannot be reached, refuses the password, sends no video, or stops sending.
    """
    began_s = time.monotonic()
    try:
        container = av.open(url, options=dict(_OPTIONS), timeout=(answer_s, answer_s))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        # Of a time that is over, some of FFmpeg's protocols make another error.
        silent = time.monotonic() - began_s > _SILENT * answer_s
        reason = _SILENCE if silent else _refusal(error)
        raise MediaError(reason) from None  # the error's own text holds the address
    with container:
        if not container.streams.video:
            raise MediaError(_NO_VIDEO)
        yield _pictures(container, 1 / most_fps, longest_px)


def _pictures(container: av.container.InputContainer, every_s: float, longest_px: int) -> Iterator[np.ndarray]:
    due_s = time.monotonic()
    try:
        for frame in container.decode(container.streams.video[0]):
            if frame.width * frame.height > MAX_PIXELS:
                raise MediaError(
                    f"It sends pictures of {frame.width} × {frame.height} pixels; expected at most "
                    f"{MAX_PIXELS // 1_000_000} megapixels. Set it to smaller ones."
                )
            now_s = time.monotonic()
            if now_s >= due_s - _EARLY * every_s:
                due_s = max(due_s + every_s, now_s)
                yield upright_bgr(frame, longest_px)
    except av.error.ExitError:
        raise MediaError(f"It sends no pictures any more. {_CHECK}") from None
    except (av.error.FFmpegError, OSError):
        raise MediaError(f"The connection broke off. {_CHECK}") from None
    raise MediaError(f"It ended its stream. {_CHECK}")


def _refusal(error: Exception) -> str:
    """Say why it could not be connected to and what to do, without the address."""
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return f"It refuses the name or the password. {_CORRECT}"
    if isinstance(error, av.error.HTTPNotFoundError):
        return f"It answers, but has nothing under this address. {_CORRECT}"
    if isinstance(error, av.error.InvalidDataError):
        return _NO_VIDEO
    if isinstance(error, ConnectionRefusedError):
        return f"It refuses the connection. {_CHECK}"
    return f"It cannot be reached, or what it sends is no video. {_CHECK}"
