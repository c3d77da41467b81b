"""Who may use the service: clients that name a key, or, without keys, programs on this machine alone."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from urllib.parse import urlsplit

from fastapi import HTTPException, status
from starlette.requests import HTTPConnection

from fer_core.errors import SettingsError
from fer_core.settings import MAKE_KEY


class Access:
    """Checks requests before anything of their body is read.

    Without keys a page of another site, open in a browser on this machine, must not use the service: requests that
    name another host, or that such a page sent, are refused.

    Args:
        keys: clients must name one of them; without any, requests to this machine by a local name are served.
    """

    def __init__(self, keys: tuple[str, ...] = ()) -> None:
        self._keys = tuple(key.encode() for key in keys)

    def client_of(self, connection: HTTPConnection) -> str:
        """Return who sends a request: its key, or its address where there are no keys.

        Raises:
            HTTPException: 401, it names no valid key; 403, there are no keys and it was not sent from this machine's
                own programs.
        """
        if not self._keys:
            self._require_local(connection)
            return connection.client.host if connection.client else ""
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        # All keys are compared, so that the time tells nothing of them.
        matches = [hmac.compare_digest(key.strip().encode(), known) for known in self._keys]
        if scheme.lower() != "bearer" or not any(matches):
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED,
                "Expected the header `Authorization: Bearer KEY` with a valid key, got "
                f"{'another key' if key else 'none'}. Ask whoever runs this service for a key.",
                {"WWW-Authenticate": "Bearer"},
            )
        return key

    def _require_local(self, connection: HTTPConnection) -> None:
        origin = connection.headers.get("origin")
        addresses = [f"//{connection.headers.get('host', '')}", *([origin] if origin else [])]
        for address in addresses:
            if not _is_local(address):
                raise HTTPException(
                    status.HTTP_403_FORBIDDEN,
                    "Without keys only requests to localhost and from its own pages are served, got "
                    f"{address.lstrip('/')}. Set FER_API_KEYS to serve others.",
                )


def _is_local(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe(host: str, keys: tuple[str, ...]) -> None:
    """Check that a service on this host is not open to everyone.

    Args:
        host: name or address that the service listens on.
        keys: what clients must name.

    Raises:
        SettingsError: other machines can reach it and there are no keys, or there is no such host.
    """
    if keys or is_loopback(host):
        return
    raise SettingsError(
        f"On {host} other machines can reach the service, and there are no keys: expected FER_API_KEYS to be set. Run "
        f'export FER_API_KEYS="$({MAKE_KEY})" and start it again, or listen on 127.0.0.1.'
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a host, by its name or address.

    Raises:
        SettingsError: there is no such host.
    """
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(host or "0.0.0.0", None)}
    except OSError as error:
        raise SettingsError(
            f"{host!r} is not a host of this machine: {error.strerror}. Use a name or an address such as 127.0.0.1."
        ) from error
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in addresses)
