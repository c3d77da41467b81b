"""Requests' bodies: read within a limit, and the images in them. Nothing is ever written to disk."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import HTTPException, Request, status
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header
from starlette.requests import ClientDisconnect

from fer_core.errors import MediaError
from fer_core.service.limits import Admission, Limits

FIELD = "images"
_MULTIPART, _JSON = "multipart/form-data", "application/json"
_EXPECTED = f"{_MULTIPART} with the field `{FIELD}`, {_JSON} with a list `{FIELD}` in base64, or one image as image/*"
# What is left of a refused body is read and dropped, or the client would see a broken connection and not the reason.
_DRAIN_BYTES, _DRAIN_S = 64_000_000, 5.0


@dataclass(frozen=True)
class Upload:
    """An image as it was sent.

    Attributes:
        name: of its file, or `images[0]` and so on.
        content: the file.
    """

    name: str
    content: bytes


def _decoded(text: object) -> object:
    if not isinstance(text, str):
        return text
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"is not base64: {error}") from error


class EncodedImages(BaseModel):
    """Images in JSON, each a file of its format in base64, also as a data URL."""

    model_config = ConfigDict(extra="forbid")
    images: list[Annotated[bytes, BeforeValidator(_decoded), AfterValidator(bytes)]]


def kind_of(request: Request) -> str:
    """Return the media type of a body that may hold images.

    Raises:
        HTTPException: 415, it is another one.
    """
    content_type = parse_options_header(request.headers.get("content-type"))[0].decode("latin-1")
    if content_type in (_MULTIPART, _JSON) or content_type.startswith("image/"):
        return content_type
    raise HTTPException(
        status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
        f"Expected {_EXPECTED}; got {content_type or 'no Content-Type'}. Set the header Content-Type.",
    )


async def read_body(request: Request, limits: Limits, admission: Admission) -> bytes:
    """Read a body to its end, counting its bytes as they come.

    Raises:
        HTTPException: 413, it is larger than the limit; 408, it takes too long; 503, there is no memory for it.
        ClientDisconnect: the client left.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.max_body_bytes:
        raise _body_too_large(f"{int(declared):,}", limits)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            async for chunk in _chunks(request):
                admission.hold(len(chunk))
                body += chunk
                if len(body) > limits.max_body_bytes:
                    raise _body_too_large("more", limits)
    except TimeoutError as error:
        raise HTTPException(
            status.HTTP_408_REQUEST_TIMEOUT,
            f"Expected the whole request within {limits.body_timeout_s:g} s, got {len(body):,} bytes of it. "
            "Send smaller images, or fewer at once.",
        ) from error
    return bytes(body)


async def drain(request: Request) -> bool:
    """Read and drop what a client is still sending, up to a limit, so that it will read the answer.

    Returns:
        Whether its body has ended; otherwise the connection must be closed.

    Raises:
        ClientDisconnect: the client left.
    """
    if getattr(request.state, "body_ended", False):
        return True
    if "expect" in request.headers:  # it has not begun to send the body, and will not
        return False
    dropped = 0
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for chunk in _chunks(request):
                dropped += len(chunk)
                if dropped > _DRAIN_BYTES:
                    return False
    except TimeoutError:
        return False
    return True


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body as it comes. Starlette's own way does not tell whether it has ended, and can be gone once."""
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        request.state.body_ended = not more
        yield message.get("body", b"")


def uploads_of(kind: str, content_type: str, body: bytes, limits: Limits) -> list[Upload]:
    """Return the images in a body.

    Args:
        kind: its media type, as `kind_of` returns it.
        content_type: the whole header.
        body: all of it.
        limits: how many images there may be.

    Raises:
        MediaError: there is none, or the body is not what its type says.
        HTTPException: 413, there are too many.
    """
    if kind == _MULTIPART:
        uploads = _from_form(content_type, body, limits.max_images)
    elif kind == _JSON:
        uploads = _from_json(body, limits.max_images)
    else:
        uploads = [Upload("The image", body)]
    if not uploads:
        raise MediaError(f"Expected one to {limits.max_images} images in `{FIELD}`, got none. Add an image.")
    if len(uploads) > limits.max_images:
        raise _too_many_images(limits.max_images)
    return uploads


def _from_json(body: bytes, max_images: int) -> list[Upload]:
    # Base64 has no commas, data URLs have one each. Millions of values would take far more memory than their text.
    if body.count(b",") > 2 * max_images:
        raise _too_many_images(max_images)
    try:
        images = EncodedImages.model_validate_json(body).images
    except ValidationError as error:
        raise MediaError(
            f'Expected JSON such as {{"{FIELD}": ["/9j/4AAQ…"]}} with images in base64; {sentence_of(error)}. '
            "Correct the request."
        ) from error
    return [Upload(f"{FIELD}[{number}]", content) for number, content in enumerate(images)]


def _from_form(content_type: str, body: bytes, max_images: int) -> list[Upload]:
    uploads: list[Upload] = []
    ends: list[None] = []

    def on_file(file: File) -> None:
        if file.field_name != FIELD.encode():
            raise _other_field("another field", file.field_name)
        if len(uploads) == max_images:  # now, not after thousands of parts
            raise _too_many_images(max_images)
        name = (file.file_name or b"").decode("utf-8", "replace") or f"{FIELD}[{len(uploads)}]"
        uploads.append(Upload(name, cast(io.BytesIO, file.file_object).getvalue()))

    def on_field(field: Field) -> None:
        raise _other_field("text", field.field_name)

    boundary = parse_options_header(content_type)[1].get(b"boundary")
    no_temporary_files = {"MAX_MEMORY_FILE_SIZE": len(body)}
    try:
        parser = FormParser(
            _MULTIPART, on_field, on_file, lambda: ends.append(None), boundary, config=no_temporary_files
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise MediaError(f"Expected {_MULTIPART}; the body is damaged: {error}. Send it again.") from error
    if not ends:
        raise MediaError(f"Expected {_MULTIPART} to its closing boundary; the body is cut short. Send it again.")
    return uploads


def _other_field(got: str, name: bytes | None) -> MediaError:
    return MediaError(
        f"Expected files in the field `{FIELD}`, got {got} in `{(name or b'').decode('utf-8', 'replace')}`. "
        f"With curl: -F {FIELD}=@photo.jpg"
    )


def _too_many_images(max_images: int) -> HTTPException:
    return HTTPException(
        status.HTTP_413_CONTENT_TOO_LARGE,
        f"Expected at most {max_images} images in one request, got more. Send several requests.",
    )


def sentence_of(error: ValidationError) -> str:
    """Return the first thing that is wrong with what a client sent, and where."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _body_too_large(size: str, limits: Limits) -> HTTPException:
    return HTTPException(
        status.HTTP_413_CONTENT_TOO_LARGE,
        f"Expected a request of at most {limits.max_body_bytes:,} bytes, got {size}. Send smaller images, or fewer at "
        "once.",
    )
