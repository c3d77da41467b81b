"""Settings from environment variables, read and checked in one place.

| variable | meaning | default |
| --- | --- | --- |
| `FER_MODEL` | name of an available model or path of a model's folder | the one put live last, else the bundled one |
| `FER_HOME` | folder of data sets, runs, models and sessions | the system's folder for a user's data |
| `FER_DATABASE_URL` | where sessions are kept, such as postgresql://user:password@host/name | SQLite in FER_HOME |
| `FER_ICE_SERVERS` | JSON list of STUN/TURN servers as in `RTCPeerConnection`'s `iceServers` | none |
| `FER_OPERATOR_TOKEN` | what unlocks reading server paths, deleting and training; at least 16 characters | none |
| `FER_TURN_SECRET` | the `static-auth-secret` of coturn; its servers then need no credentials | none |
| `FER_CAMERAS` | a file with a line `name = address` for each network camera that viewers may choose | none |
| `FER_MAX_VIEWERS` | so many live streams at once; who comes later waits for a place | five for each core |
| `FER_SCORES_ADDRESS` | HOST:PORT on which live scores are sent to other programs | a free port of 127.0.0.1 |
| `FER_VIDEO_MB` | so large the video of a recorded session may grow, in MB; 0 keeps none | 1000 |
| `FER_API_KEYS` | keys that clients of the service must name one of, separated by commas or spaces | none |
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from platformdirs import user_data_path

from fer_core.errors import SettingsError

_NAME = "fer-dashboard"
_MIN_KEY_LENGTH = 16
_VIDEO_MB = 1000  # nearly two hours at the least, mostly four
MAKE_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
_ICE_EXAMPLE = '[{"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}]'
_CAMERA_EXAMPLE = "`Lab = rtsp://name:password@192.0.2.7/stream`"
_CAMERA_URL = re.compile(r"(rtsp|rtsps|http|https)://\S+", re.IGNORECASE)
# What aiortc takes; anything else it refuses only when a stream starts.
_ICE_URL = re.compile(r"stuns?:[^?:\s]+(:[0-9]+)?|turns?:[^?:\s]+(:[0-9]+)?(\?transport=(udp|tcp))?")


def home_folder() -> Path:
    """Return the folder of all that outlives the server: data sets, runs, models, sessions; an absolute path.

    It is `FER_HOME` or else the system's folder for a user's data: ~/.local/share on Linux,
    ~/Library/Application Support on macOS, %LOCALAPPDATA% on Windows.
    """
    if home := os.environ.get("FER_HOME"):
        return Path(home).expanduser().resolve()
    # On every system the folder was once the one of Linux; what is there stays in use.
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    former = Path(base).expanduser() / _NAME
    return (former if former.is_dir() else user_data_path(_NAME, appauthor=False)).resolve()


def database_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the URL of the database of sessions, or an empty text for the one in the home folder."""
    return environ.get("FER_DATABASE_URL", "").strip()


def operator_token(environ: Mapping[str, str] = os.environ) -> str:
    """Return the operator's token, or an empty text if none is set.

    Raises:
        SettingsError: it is too short to be safe.
    """
    token = environ.get("FER_OPERATOR_TOKEN", "").strip()
    if token and len(token) < _MIN_KEY_LENGTH:
        raise SettingsError(
            f"FER_OPERATOR_TOKEN must have at least {_MIN_KEY_LENGTH} characters, got {len(token)}. "
            f"Make one with: {MAKE_KEY}"
        )
    return token


@dataclass(frozen=True)
class NetworkCamera:
    """A camera in the network that viewers may choose.

    Attributes:
        name: what they know it by.
        url: rtsp, rtsps, http or https; it may hold a password and never leaves the server.
    """

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """The settings of one server.

    Attributes:
        model: name of an available model, or path of a model's folder, that the pages use; None for the one
            that was put live last or, if there is none, the bundled default.
        ice_servers: STUN and TURN servers, each with `urls` and, for TURN, `username` and
            `credential`. Empty by default: then nothing outside is contacted and only browsers
            that reach this machine directly can connect.
        turn_secret: makes credentials for TURN servers that name none, see `fer_core.live.turn`.
        cameras: network cameras that viewers may choose.
        max_viewers: live streams at once, at least 1; None for as many as the cores can serve.
        scores_address: host name or address, and port, on which live scores are sent to other programs that ask for
            them; port 0 takes a free one.
        max_video_mb: how large the video of a recorded session may grow, in millions of bytes; 0 for no videos.
        api_keys: clients of the service must name one of these; without any, every client is served.
    """

    model: str | None = None
    ice_servers: tuple[Mapping[str, Any], ...] = ()
    turn_secret: str = field(default="", repr=False)
    cameras: tuple[NetworkCamera, ...] = ()
    max_viewers: int | None = None
    scores_address: tuple[str, int] = ("127.0.0.1", 0)
    max_video_mb: int = _VIDEO_MB
    api_keys: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from environment variables.

        Raises:
            SettingsError: a variable has a value that cannot be used.
        """
        turn_secret = environ.get("FER_TURN_SECRET", "").strip()
        return cls(
            model=environ.get("FER_MODEL") or None,
            ice_servers=_ice_servers(environ.get("FER_ICE_SERVERS", ""), bool(turn_secret)),
            turn_secret=turn_secret,
            cameras=_cameras(environ.get("FER_CAMERAS", "").strip()),
            max_viewers=_max_viewers(environ.get("FER_MAX_VIEWERS", "").strip()),
            scores_address=_address(environ.get("FER_SCORES_ADDRESS", "").strip()),
            max_video_mb=_max_video_mb(environ.get("FER_VIDEO_MB", "").strip()),
            api_keys=_api_keys(environ.get("FER_API_KEYS", "")),
        )


def _cameras(file: str) -> tuple[NetworkCamera, ...]:
    """Read the file of network cameras; what is wrong with it is told without an address."""
    if not file:
        return ()
    try:
        lines = Path(file).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise SettingsError(
            f"FER_CAMERAS must name a file with lines such as {_CAMERA_EXAMPLE}; {file} cannot be read: {reason}. "
            "Correct it or unset it."
        ) from error
    cameras: dict[str, NetworkCamera] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, url = (part.strip() for part in line.partition("="))
        if not name or not _CAMERA_URL.fullmatch(url) or name in cameras:
            problem = "its name is there already" if name in cameras else "it is not one"
            raise SettingsError(
                f"Line {number} of {file} (FER_CAMERAS) must be like {_CAMERA_EXAMPLE}, with rtsp, rtsps, http or "
                f"https; {problem}. Correct it."
            )
        cameras[name] = NetworkCamera(name, url)
    return tuple(cameras.values())


def _max_viewers(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise SettingsError(
            f"FER_MAX_VIEWERS must be a whole number of at least 1, got {text!r}. Correct it, or unset it for five "
            "viewers for each core."
        )
    return int(text)


def _address(text: str) -> tuple[str, int]:
    if not text:
        return Settings.scores_address
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise SettingsError(
            f"FER_SCORES_ADDRESS must be HOST:PORT such as 127.0.0.1:8765, got {text!r}. Correct it, or unset it for a "
            "free port of this computer."
        )
    return host.strip("[]"), int(port)


def _max_video_mb(text: str) -> int:
    if not re.fullmatch("[0-9]{0,7}", text):
        raise SettingsError(
            f"FER_VIDEO_MB must be a whole number of megabytes, or 0 to keep no videos, got {text!r}. Correct it, or "
            f"unset it for {_VIDEO_MB}."
        )
    return int(text) if text else _VIDEO_MB


def _api_keys(text: str) -> tuple[str, ...]:
    keys = tuple(text.replace(",", " ").split())
    if short := [len(key) for key in keys if len(key) < _MIN_KEY_LENGTH]:
        raise SettingsError(
            f"FER_API_KEYS must hold keys of at least {_MIN_KEY_LENGTH} characters, got one of {short[0]}. "
            f"Make one with: {MAKE_KEY}"
        )
    return keys


def _ice_servers(text: str, has_secret: bool) -> tuple[Mapping[str, Any], ...]:
    if not text.strip():
        return ()
    try:
        servers = json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingsError(
            f"FER_ICE_SERVERS must be a JSON list such as {_ICE_EXAMPLE}; it is not JSON: {error}. "
            "Correct it or unset it."
        ) from error
    if not isinstance(servers, list):
        raise SettingsError(
            f"FER_ICE_SERVERS must be a JSON list such as {_ICE_EXAMPLE}, "
            f"got {type(servers).__name__}. Put the server in brackets."
        )
    return tuple(
        _checked_server(number, server, has_secret) for number, server in enumerate(cast(list[Any], servers), 1)
    )


def _checked_server(number: int, content: Any, has_secret: bool) -> Mapping[str, Any]:
    where = f"Server {number} of FER_ICE_SERVERS"
    server = cast(dict[str, Any], content) if isinstance(content, dict) else {}
    if not server.get("urls"):
        raise SettingsError(f"{where} must be an object with `urls`, as in {_ICE_EXAMPLE}. Add `urls`.")
    urls = cast(list[Any], server["urls"]) if isinstance(server["urls"], list) else [server["urls"]]
    for url in urls:
        if not isinstance(url, str) or not _ICE_URL.fullmatch(url):
            raise SettingsError(
                f"{where} must have urls like stun:host, stun:host:3478, turn:host:3478 or "
                f"turn:host:3478?transport=tcp (or with stuns and turns), got {url!r}. Correct it."
            )
        is_turn, named = url.startswith(("turn:", "turns:")), server.get("username") and server.get("credential")
        by_secret = has_secret and "username" not in server and "credential" not in server
        if is_turn and not named and not by_secret:
            raise SettingsError(
                f"{where} is a TURN server and needs `username` and `credential`, as in {_ICE_EXAMPLE}; or neither, "
                "and its static-auth-secret in FER_TURN_SECRET."
            )
    return server
