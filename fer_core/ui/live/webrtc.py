"""The camera in the browser, over WebRTC. The only place that imports streamlit-webrtc."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import av
import cv2
import streamlit as st
import streamlit_webrtc.relay
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from fer_core.live.feeds.feed import Feed
from fer_core.live.memory import use_few_heaps
from fer_core.live.seats import Seats
from fer_core.live.session import LiveSession
from fer_core.ui.live.codec import to_bgr, to_frame, use_light_encoder
from fer_core.ui.live.feed_track import FeedPlayer
from fer_core.ui.live.relay import NewestRelay

# With two threads OpenCV answers sooner and costs a tenth more altogether: its threads wait for work by spinning. A
# server of several streams has no use for that.
cv2.setNumThreads(1)
use_light_encoder()
use_few_heaps()
streamlit_webrtc.relay.MediaRelay = NewestRelay  # there is no public way; it is made with the first stream

_KEY = "live_video_key"

# What the camera is asked for. Every frame is encoded again on the way back, so more frames than
# a reader of expressions needs would only cost the server time.
_CAMERA = {
    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 15, "max": 20}},
    "audio": False,
}

# iOS shows a black picture without playsInline; autoplay needs muted.
_VIDEO = {
    "autoPlay": True,
    "playsInline": True,
    "muted": True,
    "controls": False,
    "style": {
        "width": "100%",
        "aspectRatio": "4 / 3",
        "objectFit": "contain",
        "borderRadius": "10px",
        "background": "#0b0e12",
    },
}

_WORDS = {
    "start": "Start camera",
    "stop": "Stop camera",
    "select_device": "Choose camera",
    "select_camera": "Choose camera",
    "turn_camera_on": "Show camera",
    "turn_camera_off": "Pause camera",
    "media_api_not_available": "This browser offers no camera to this page. Open it over HTTPS or on localhost, "
    "or use a photo instead.",
    "device_ask_permission": "Allow the camera when the browser asks.",
    "device_not_available": "No camera was found. Connect one, or use a photo instead.",
    "device_access_denied": "The browser denied the camera. Allow it in the address bar, then press Start camera; "
    "or use a photo instead.",
}


def frames_callback(
    session: LiveSession, on_frame: Callable[[], None] = lambda: None
) -> Callable[[list[av.VideoFrame]], Awaitable[list[av.VideoFrame]]]:
    """Return what a stream calls with all frames that came since the last call; it gives back one.

    Args:
        session: analyses and draws.
        on_frame: called for each, in the stream's thread.
    """

    async def on_frames(frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        # Only the newest frame is worth the work; the others are counted and dropped.
        newest = frames[-1]
        on_frame()
        try:
            # The place in a clip, if this is one.
            drawn = session.process(to_bgr(newest), len(frames), media=newest.opaque, camera_s=newest.time)
            return [to_frame(drawn)]
        except Exception as error:  # raised here it would freeze this viewer's video for good
            session.fail(error, delivered=len(frames))
            return [newest]

    return on_frames


def live_video(
    session: LiveSession,
    ice_servers: Sequence[Mapping[str, Any]],
    seats: Seats,
    feed: Feed | None = None,
    wanted: bool = False,
) -> bool:
    """Draw the camera's picture as it comes back from `session`; return whether it plays.

    Call it at page level, not inside a fragment: it reruns the page when the stream starts or
    stops. Nothing outside is contacted unless `ice_servers` names it.

    Args:
        session: gets every newest frame; only this viewer's stream holds it. Another session is another stream:
            what is left of the one before is ended.
        ice_servers: STUN and TURN servers as in `RTCPeerConnection`.
        seats: of the server; the stream has one while it runs. Where the last was just taken, the page runs again.
        feed: what is shown instead of the browser's camera, which nobody is then asked for.
        wanted: whether the feed is to be played; the browser's camera has buttons for that.
    """
    # A key of its own for each session. The component tells that a viewer left the page and came back by counting
    # finished runs of the script; where the page between was left before it was drawn, it would take the stream that
    # has ended for the new one, and the camera would never start.
    key = f"live_video_{session.id}"
    if (before := st.session_state.get(_KEY)) != key:
        _end(before)
        st.session_state[_KEY] = key
    context = webrtc_streamer(
        key=key,
        mode=WebRtcMode.RECVONLY if feed else WebRtcMode.SENDRECV,
        player_factory=(lambda: FeedPlayer(feed)) if feed else None,  # pyright: ignore[reportArgumentType]
        desired_playing_state=wanted if feed else None,
        # Always given: left out, public STUN servers are asked, and a token in the environment is sent out.
        rtc_configuration={"iceServers": list(ice_servers)},
        media_stream_constraints=_CAMERA,
        video_html_attrs=_VIDEO,
        translations=_WORDS,
        queued_video_frames_callback=frames_callback(session, lambda: seats.seen(session.id)),
        on_video_ended=lambda: stream_ended(session, seats, feed),
    )
    if (context.state.playing or context.state.signalling) and not seats.take(session.id):
        _end(key)
        st.rerun()
    return context.state.playing


def stream_ended(session: LiveSession, seats: Seats, feed: Feed | None) -> None:
    """End a viewer's stream and give back its place; at the end of a clip its recording ends too."""
    if feed and feed.ended and session.recorder:
        session.recorder.close()  # nothing more will come
    session.end()
    seats.leave(session.id)


def _end(key: str | None) -> None:
    """Stop the stream under `key`, if there is one that still runs, and forget it."""
    context = st.session_state.pop(key, None) if key else None
    if context and (worker := context._get_worker()):  # there is no public way
        worker.stop()
