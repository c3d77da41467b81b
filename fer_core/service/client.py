"""A client of the service for Python programs: the standard library alone, and it tries again.

>>> from fer_core.service.client import ServiceClient
>>> client = ServiceClient("http://127.0.0.1:8000")
>>> client.analyze("photo.jpg")["results"][0]["faces"]
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

from fer_core.errors import ServiceError

Picture = str | os.PathLike[str] | bytes

_COME_BACK = (429, 503)  # with Retry-After


class ServiceClient:
    """Calls the service. One instance serves any number of threads.

    A request is sent again when the service is busy, after the time it asks for, and when the connection broke, as it
    does for those whose worker was killed. No request changes anything, so that this is always right.

    Args:
        url: of the service.
        key: one of its keys, where it has any.
        attempts: how often a request is sent at most, 1 or more.
        timeout_s: for one attempt.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str | None = None,
        attempts: int = 5,
        timeout_s: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._attempts = attempts
        self._timeout_s = timeout_s
        self._sleep = sleep

    def analyze(self, *pictures: Picture, model: str | None = None, label_set: str | None = None) -> dict[str, Any]:
        """Find faces in pictures and score their expressions.

        Args:
            pictures: paths or contents of files.
            model: name of a model; the service's own choice if None.
            label_set: what faces are scored for; the model's default if None.

        Returns:
            The service's answer; `results` holds one result a picture, as `FrameResult.to_dict` returns it.

        Raises:
            ServiceError: the service refused it, or could not be reached in any attempt.
        """
        return json.loads(self._post("/v1/analyze", pictures, model, label_set))

    def annotate(self, picture: Picture, model: str | None = None, label_set: str | None = None) -> bytes:
        """Return a picture with its faces drawn on it, as a JPEG file. Arguments and errors are those of `analyze`."""
        return self._post("/v1/analyze", (picture,), model, label_set, accept="image/jpeg")

    def classify(self, *faces: Picture, model: str | None = None, label_set: str | None = None) -> dict[str, Any]:
        """Score faces that are cropped already, one a picture. Arguments and errors are those of `analyze`."""
        return json.loads(self._post("/v1/classify", faces, model, label_set))

    def models(self) -> list[dict[str, Any]]:
        """Return what the service tells of each model that a request can name."""
        return json.loads(self._send(Request(f"{self._url}/v1/models", headers=self._headers)))["models"]

    def _post(
        self,
        path: str,
        pictures: tuple[Picture, ...],
        model: str | None,
        label_set: str | None,
        accept: str = "application/json",
    ) -> bytes:
        query = urlencode({name: value for name, value in (("model", model), ("label_set", label_set)) if value})
        boundary = uuid4().hex
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": accept, **self._headers}
        return self._send(Request(f"{self._url}{path}?{query}", _form(pictures, boundary), headers))

    def _send(self, request: Request) -> bytes:
        for number in range(1, self._attempts):
            try:
                return self._send_once(request)
            except _TryAgain as refusal:
                self._sleep(0.2 * 2**number if refusal.wait_s is None else refusal.wait_s)
        return self._send_once(request)

    def _send_once(self, request: Request) -> bytes:
        try:
            with urlopen(request, timeout=self._timeout_s) as response:
                return response.read()
        except HTTPError as error:
            if error.code not in _COME_BACK:
                raise ServiceError(_detail(error)) from error
            raise _TryAgain(_detail(error), _seconds(error.headers.get("Retry-After", ""))) from error
        except (HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise _TryAgain(
                f"The service at {self._url} cannot be reached: {reason}. Start it with `fer serve`, or check the URL."
            ) from error


class _TryAgain(ServiceError):
    """An attempt failed, and another one may not; `wait_s` is how long the service asks to wait, if it does."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def _form(pictures: tuple[Picture, ...], boundary: str) -> bytes:
    """Return pictures as the body of a form with files."""
    parts = []
    for number, picture in enumerate(pictures):
        name = f"images[{number}]" if isinstance(picture, bytes) else Path(picture).name
        content = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        quoted = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="images"; filename="{quoted}"\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def _detail(error: HTTPError) -> str:
    """Return the reason that a refusal names."""
    content = error.read()
    try:
        return json.loads(content)["detail"]
    except (ValueError, TypeError, KeyError):  # not from the service itself, but from something in between
        return f"Expected an answer of the service, got {error.code} {error.reason} from {error.url}."


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isdigit() else None
