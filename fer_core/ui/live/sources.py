"""Where the live page's pictures come from: the browser's camera, a clip played like one, a camera in the network."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.charts.timeline import clock
from fer_core.errors import MediaError
from fer_core.files import remove_abandoned
from fer_core.imaging.video import open_video
from fer_core.live.feeds.clip import ClipFeed
from fer_core.live.feeds.feed import Feed
from fer_core.live.feeds.network import camera_feed
from fer_core.media.sources import VIDEOS
from fer_core.settings import NetworkCamera, Settings
from fer_core.ui.components.entry import leave_live

CAMERA, CLIP, NETWORK, PHOTO = "Camera", "Clip", "Network camera", "Photo"
_TYPES = [suffix[1:] for suffix in VIDEOS]
_FOLDER = "fer-clip-"
_CLIP, _SOURCE, _WANTED = "live_clip", "live_source", "live_wanted"


@dataclass(frozen=True, eq=False)
class LiveSource:
    """Where pictures come from.

    Attributes:
        kind: CAMERA, CLIP, NETWORK or PHOTO.
        feed: gives them where the browser does not; None also for a clip that is still to be chosen.
    """

    kind: str
    feed: Feed | None = None

    @property
    def recorded_as(self) -> str:
        """What a recording says of it."""
        return f"{self.kind.lower()} {self.feed.name}" if self.feed else self.kind.lower()

    @property
    def needs_clip(self) -> bool:
        """Whether a clip is still to be chosen."""
        return self.kind == CLIP and self.feed is None

    @property
    def start_words(self) -> str:
        """What to do to begin."""
        if self.needs_clip:
            return "Choose a clip."
        return "Press Play clip." if self.kind == CLIP else "Press Start camera."


@dataclass(frozen=True, eq=False)
class _Clip:
    """A clip that a viewer brought, in a folder that is deleted when the viewer leaves."""

    feed: ClipFeed
    length_s: float | None
    folder: tempfile.TemporaryDirectory


def choose_source(title: str, settings: Settings) -> LiveSource:
    """Draw the page's title and the choice beside it; another choice than before ends the stream."""
    kinds = [CAMERA, CLIP, *([NETWORK] if settings.cameras else []), PHOTO]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(title, width="content")
        kind = st.segmented_control(
            "Source", kinds, default=CAMERA, required=True, key="source", label_visibility="collapsed"
        )
    source = LiveSource(kind, _feed(kind, settings.cameras))
    identity = kind, source.feed
    if st.session_state.get(_SOURCE, identity) != identity:
        leave_live()
        st.session_state.pop(_WANTED, None)
    st.session_state[_SOURCE] = identity
    return source


def is_wanted(source: LiveSource) -> bool:
    """Return whether the viewer wants the feed to be played."""
    return bool(source.feed and not source.feed.ended and st.session_state.get(_WANTED))


def feed_buttons(source: LiveSource) -> None:
    """Draw what starts and stops a feed, and say how a clip ended."""
    feed = source.feed
    if feed is None:
        return
    thing = "clip" if source.kind == CLIP else "camera"
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center", key="feed_buttons"):
        if is_wanted(source):
            st.button(f"Stop {thing}", key="feed_stop", on_click=_want, args=(None,))
        else:
            verb = "Play" if source.kind == CLIP else "Start"
            st.button(f"{verb} {thing}", key="feed_start", type="primary", on_click=_want, args=(feed,))
        if isinstance(feed, ClipFeed):
            feed.loop = st.toggle("In a loop", key="clip_loop", persist_state="session")
    if feed.ended and feed.problem:
        st.error(feed.problem, icon=":material/error:")
    elif feed.ended:
        st.caption(f"{feed.name} has ended. A recording of it ended with it.", text_alignment="center")


def feed_parts(source: LiveSource) -> list[str]:
    """Return what the status line says of a feed that runs."""
    return [f"clip at {clock(source.feed.position_s)}"] if isinstance(source.feed, ClipFeed) else []


def _want(feed: Feed | None) -> None:
    st.session_state[_WANTED] = feed is not None
    if isinstance(feed, ClipFeed):
        feed.rewind()


def _feed(kind: str, cameras: Sequence[NetworkCamera]) -> Feed | None:
    if kind == CLIP:
        return _clip_feed()
    if kind != NETWORK:
        return None
    by_name = {camera.name: camera for camera in cameras}
    name = next(iter(by_name))
    if len(by_name) > 1:
        name = st.selectbox("Which one", list(by_name), key="network_camera", width=320)
    return camera_feed(by_name[name])


def _clip_feed() -> ClipFeed | None:
    """Ask for a clip; one that was brought stays until there is another."""
    clip: _Clip | None = st.session_state.get(_CLIP)
    if clip is None:
        _ask_for_clip("clip_file")
    else:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            length = f" · {clock(clip.length_s)}" if clip.length_s else ""
            st.caption(f"{clip.feed.name}{length}", width="content")
            with st.popover("Another clip", icon=":material/movie:", key="clip_another"):
                _ask_for_clip("clip_next_file")
        clip = st.session_state[_CLIP]
    return clip.feed if clip else None


def _ask_for_clip(key: str) -> None:
    upload = st.file_uploader(
        "A clip with one or more faces, played as if it were the camera", type=_TYPES, key=f"{key} {_uploads()}"
    )
    if upload is None:
        return
    try:
        st.session_state[_CLIP] = _brought(upload)
    except MediaError as error:
        st.error(str(error), icon=":material/broken_image:")
        return
    st.session_state["clip_uploads"] = _uploads() + 1  # an uploader that holds nothing
    st.rerun()


def _uploads() -> int:
    return st.session_state.get("clip_uploads", 0)


def _brought(upload: Any) -> _Clip:
    """Put a clip into a file of its own.

    Raises:
        MediaError: it is no video.
    """
    remove_abandoned(Path(tempfile.gettempdir()), f"{_FOLDER}*")
    folder = tempfile.TemporaryDirectory(prefix=_FOLDER)
    path = Path(folder.name) / f"clip{Path(upload.name).suffix.lower()}"
    path.write_bytes(upload.getbuffer())
    with open_video(path, upload.name) as video:
        length_s = video.duration_s
    return _Clip(ClipFeed(path, upload.name), length_s, folder)
