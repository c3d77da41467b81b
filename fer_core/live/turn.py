"""Credentials for TURN servers that hold a while, as coturn's `use-auth-secret` expects them.

The scheme is https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00. Browsers see credentials, so they
should not last.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

VALID_S = 24 * 3600  # a relay asks for them again every few minutes, as long as the stream runs
_STEP_S = 3600  # they change this often at most, so that a page that runs again keeps them


def with_credentials(
    servers: Sequence[Mapping[str, Any]], secret: str, viewer: str, now_s: float
) -> list[dict[str, Any]]:
    """Return ICE servers, those for TURN that have no credentials of their own with some for a viewer.

    Args:
        servers: as in `RTCPeerConnection`'s `iceServers`.
        secret: shared with the TURN server, its `static-auth-secret`; without one nothing is added.
        viewer: part of the user name, letters and digits.
        now_s: seconds since 1970.
    """
    return [
        {**server, **(_credentials(secret, viewer, now_s) if needs(server) and secret else {})} for server in servers
    ]


def needs(server: Mapping[str, Any]) -> bool:
    """Return whether a server is for TURN and has no credentials of its own."""
    urls = [server["urls"]] if isinstance(server["urls"], str) else server["urls"]
    return "credential" not in server and any(url.startswith(("turn:", "turns:")) for url in urls)


def _credentials(secret: str, viewer: str, now_s: float) -> dict[str, str]:
    until_s = int(now_s // _STEP_S + 1) * _STEP_S + VALID_S
    username = f"{until_s}:{viewer}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return {"username": username, "credential": base64.b64encode(digest).decode()}
