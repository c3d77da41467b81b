"""The service's application: routes, errors as plain sentences, and what they share."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Security, WebSocket, status
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from pydantic import ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from fer_core import __version__
from fer_core.errors import FerError, TooManyPixelsError
from fer_core.models.label_sets import LABEL_SETS
from fer_core.models.model_store import chosen_model, list_models
from fer_core.recognizer import EmotionRecognizer
from fer_core.service import images
from fer_core.service.access import Access
from fer_core.service.bodies import FIELD, Upload, drain, kind_of, read_body, sentence_of, uploads_of
from fer_core.service.limits import Gate, Limits
from fer_core.service.metrics import CONTENT_TYPE, MeasuredApp, Metrics
from fer_core.service.recognizers import Recognizers
from fer_core.service.schemas import Analysis, Classification, Health, ModelInfo, Models, Problem
from fer_core.service.stream import StreamOptions, serve_stream
from fer_core.settings import Settings

_DESCRIPTION = """Finds faces in images and streams, and scores their expressions: as a network sees them, not what
people feel. Images are neither stored nor logged."""
_REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": reason}
    for code, reason in {
        401: "no valid key",
        403: "without keys: not from this machine",
        406: "no such form of an answer",
        408: "the body took too long",
        413: "too many bytes, pixels or images",
        415: "another type of body",
        422: "no image, a damaged one, or a wrong option",
        429: "too many requests of one client at a time",
        503: "busy; Retry-After says when to come back",
    }.items()
}
_KEY_REFUSALS: dict[int | str, dict[str, Any]] = {code: _REFUSALS[code] for code in (401, 403)}
_FILE = {"type": "string", "format": "binary"}
_IMAGE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": _FILE}, "image/png": {"schema": _FILE}}}
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "array", "items": _FILE}},
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "array", "items": {"type": "string", "contentEncoding": "base64"}}},
                }
            },
            "image/*": {"schema": _FILE},
        },
    }
}
_Model = Annotated[str | None, Query(description="Name of a model. The one in use if left out.")]
_LabelSet = Annotated[
    str | None,
    Query(description=f"What faces are scored for: {', '.join(LABEL_SETS)}. The model's own default if left out."),
]


@dataclass(frozen=True, eq=False)
class Service:
    """What all requests of one worker share.

    Attributes:
        recognizers: the models.
        gate: admits requests and runs their work.
        access: says who may send them.
        metrics: counts them.
    """

    recognizers: Recognizers
    gate: Gate
    access: Access
    metrics: Metrics

    async def answer(
        self,
        request: Request,
        model: str | None,
        label_set: str | None,
        work: Callable[[EmotionRecognizer, list[Upload]], Response],
    ) -> Response:
        """Admit a request, read the images in its body and work on them in a thread.

        Args:
            request: with images in its body.
            model: name of the model that it asks for.
            label_set: what its faces are scored for.
            work: gets the recognizer and the images.
        """
        client = self.access.client_of(request)
        kind = kind_of(request)

        def work_on(body: bytes) -> Response:
            uploads = uploads_of(kind, request.headers["content-type"], body, self.gate.limits)
            return work(self.recognizers.get(model, label_set), uploads)

        with self.gate.admit(client) as admission, self.metrics.in_progress.track_inprogress():
            body = await read_body(request, self.gate.limits, admission)
            return await self.gate.run(lambda: work_on(body), request)


def create_app(limits: Limits | None = None, model: str | None = None, settings: Settings | None = None) -> ASGIApp:
    """Return the application that a worker serves.

    Args:
        limits: what it accepts.
        model: name of a model or path of its folder, for requests that name none; the one that the settings name, or
            the one in use, if None.
        settings: of the environment if None.

    Raises:
        ModelError: there is no such model, or it cannot be read.
        SettingsError: an environment variable cannot be used.
    """
    settings = settings or Settings.from_env()
    service = Service(
        Recognizers(model or settings.model or chosen_model()),
        Gate(limits or Limits()),
        Access(settings.api_keys),
        Metrics(),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.gate.close()

    app = FastAPIOffline(
        redoc_url=None, title="Facial expressions", version=__version__, description=_DESCRIPTION, lifespan=lifespan
    )
    app.include_router(_images(service))
    app.include_router(_information(service))
    app.include_router(_streams(service))
    for error in (StarletteHTTPException, FerError, ClientDisconnect):
        app.add_exception_handler(error, _refuse)
    return MeasuredApp(app, service.metrics, time.perf_counter)


def _images(service: Service) -> APIRouter:
    """Return the routes that take images."""
    # The scheme is only declared here, for the page; every route checks the key before anything else.
    router = APIRouter(prefix="/v1", responses=_REFUSALS, dependencies=[Security(HTTPBearer(auto_error=False))])

    @router.post("/analyze", response_model=Analysis, responses=_IMAGE_ANSWERS, openapi_extra=_BODY)
    async def analyze(request: Request, model: _Model = None, label_set: _LabelSet = None) -> Response:
        """Find the faces of one or more images and score their expressions.

        For one image the answer is the annotated image if `Accept` asks for image/jpeg or image/png.
        """

        form = images.form_of_answer(request.headers.get("accept", ""))
        limits, metrics = service.gate.limits, service.metrics
        return await service.answer(
            request,
            model,
            label_set,
            lambda recognizer, uploads: images.analyze(recognizer, uploads, form, limits, metrics),
        )

    @router.post("/classify", response_model=Classification, openapi_extra=_BODY)
    async def classify(request: Request, model: _Model = None, label_set: _LabelSet = None) -> Response:
        """Score the expressions of faces that are cropped already, one face an image."""

        limits, metrics = service.gate.limits, service.metrics
        return await service.answer(
            request,
            model,
            label_set,
            lambda recognizer, uploads: images.classify(recognizer, uploads, limits, metrics),
        )

    return router


def _information(service: Service) -> APIRouter:
    """Return the routes that tell about the service."""
    router = APIRouter()
    bearer = [Security(HTTPBearer(auto_error=False))]

    @router.get("/v1/models", dependencies=bearer, responses=_KEY_REFUSALS)
    def models(request: Request) -> Models:
        """List the models that a request can name."""
        service.access.client_of(request)
        entries = [ModelInfo(**entry.to_dict()) for entry in list_models()]
        used = service.recognizers.default_name
        return Models(models=[entry.model_copy(update={"in_use": entry.name == used}) for entry in entries])

    @router.get("/healthz")
    async def healthz() -> Health:
        """Say that the service works; no key is needed."""
        return Health(status="ok", version=__version__, model=service.recognizers.default_name)

    @router.get("/metrics", dependencies=bearer, responses=_KEY_REFUSALS, response_class=Response)
    def metrics(request: Request) -> Response:
        """Return the metrics in Prometheus's text format."""
        service.access.client_of(request)
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    return router


def _streams(service: Service) -> APIRouter:
    router = APIRouter()

    @router.websocket("/v1/stream")
    async def stream(websocket: WebSocket) -> None:
        try:
            service.access.client_of(websocket)
            options = StreamOptions.model_validate(dict(websocket.query_params))
            recognizer = await service.gate.run(lambda: service.recognizers.get(options.model, options.label_set))
            await serve_stream(websocket, recognizer, options, service.gate, service.metrics)
        except (StarletteHTTPException, FerError, ValidationError) as error:
            await websocket.send_denial_response(_problem(error))

    return router


async def _refuse(request: Request, error: Exception) -> Response:
    try:
        if isinstance(error, ClientDisconnect):
            raise error
        too_slow = isinstance(error, StarletteHTTPException) and error.status_code == status.HTTP_408_REQUEST_TIMEOUT
        ended = not too_slow and await drain(request)
    except ClientDisconnect:
        return Response(status_code=499)  # nobody reads it; the metrics count it
    response = _problem(error)
    if not ended:
        response.headers["Connection"] = "close"
    return response


def _problem(error: Exception) -> JSONResponse:
    """Return the answer that says why a request was refused."""
    if isinstance(error, StarletteHTTPException):
        known = error.detail != HTTPStatus(error.status_code).phrase  # "Not Found" is all that FastAPI says
        detail = error.detail if known else f"{error.detail}: /docs lists the routes and their methods."
        return JSONResponse(Problem(detail=detail).model_dump(), error.status_code, error.headers)
    if isinstance(error, TooManyPixelsError):
        return _problem(HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, str(error)))
    if isinstance(error, ValidationError):
        detail = f"An option of the request cannot be used: {sentence_of(error)}. Correct it or leave it out."
        return _problem(HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, detail))
    return _problem(HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)))
