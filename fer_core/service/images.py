"""The work on a request's images, in a thread: decode, analyse or classify, and write the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import cv2
import numpy as np
from fastapi import HTTPException, status
from fastapi.responses import Response
from pydantic import BaseModel

from fer_core.annotate import AnnotateOptions, annotate
from fer_core.errors import MediaError
from fer_core.imaging.images import decode_image
from fer_core.recognition.crop import crop_faces, to_gray
from fer_core.recognizer import EmotionRecognizer
from fer_core.service.bodies import Upload
from fer_core.service.limits import Limits
from fer_core.service.metrics import Metrics
from fer_core.service.schemas import analysis_of, classification_of

_JSON = "application/json"
_JPEG_QUALITY = 92
# What OpenCV writes an annotated image with, by media type.
_ENCODERS: Mapping[str, tuple[str, list[int]]] = MappingProxyType(
    {"image/jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]), "image/png": (".png", [])}
)
_FORMS = (_JSON, *_ENCODERS)


def analyze(
    recognizer: EmotionRecognizer, uploads: Sequence[Upload], form: str, limits: Limits, metrics: Metrics
) -> Response:
    """Return the faces of images as JSON, or one image with its faces drawn on it.

    Args:
        recognizer: the model.
        uploads: the images.
        form: media type of the answer, as `form_of_answer` returns it.
        limits: how large an image may be.
        metrics: counts images and faces.

    Raises:
        MediaError: an image cannot be read, or more than one is to be drawn on.
    """
    if form != _JSON and len(uploads) > 1:
        raise MediaError(
            f"Expected one image for an answer as {form}, got {len(uploads)}. Send one, or accept {_JSON}."
        )
    results = []
    for upload in uploads:
        image_bgr = decode_image(upload.content, upload.name, limits.max_pixels)
        result = recognizer.analyze(image_bgr)
        metrics.images.inc()
        metrics.faces.inc(len(result))
        if form != _JSON:
            options = AnnotateOptions(threshold=recognizer.uncertain_below or 0.0, numbers=True)
            return _image(annotate(image_bgr, result, options), form)
        results.append((upload.name, result))
    return _json(analysis_of(recognizer, results))


def classify(recognizer: EmotionRecognizer, uploads: Sequence[Upload], limits: Limits, metrics: Metrics) -> Response:
    """Return the scores of images that each show one face, cropped, as JSON.

    Raises:
        MediaError: an image cannot be read.
    """
    faces = np.concatenate([_face(decode_image(upload.content, upload.name, limits.max_pixels)) for upload in uploads])
    scores = recognizer.classify(faces)
    metrics.images.inc(len(uploads))
    metrics.faces.inc(len(uploads))
    return _json(classification_of(recognizer, [upload.name for upload in uploads], scores))


def form_of_answer(accept: str) -> str:
    """Return the media type that a header `Accept` likes best, JSON if it takes anything.

    >>> form_of_answer("text/html, image/png;q=0.9, */*;q=0.1"), form_of_answer("")
    ('image/png', 'application/json')

    Raises:
        HTTPException: 406, it takes nothing that there is.
    """
    ranges = [_range(text) for text in (accept or "*/*").split(",")]
    qualities = {form: _quality(form, ranges) for form in _FORMS}
    best = max(_FORMS, key=lambda form: qualities[form])  # the first of equals
    if qualities[best] <= 0:
        raise HTTPException(
            status.HTTP_406_NOT_ACCEPTABLE,
            f"Expected the header Accept to name {', '.join(_FORMS[:-1])} or {_FORMS[-1]}, got {accept}. "
            "Name one of these.",
        )
    return best


def _range(text: str) -> tuple[str, float]:
    media_type, *parameters = (part.strip() for part in text.lower().split(";"))
    quality = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return media_type, float(quality)
    except ValueError:
        return media_type, 1.0


def _quality(form: str, ranges: list[tuple[str, float]]) -> float:
    """Return how much a media type is liked, by the most exact range that holds it."""
    for pattern in (form, f"{form.partition('/')[0]}/*", "*/*"):
        if qualities := [quality for media_type, quality in ranges if media_type == pattern]:
            return max(qualities)
    return 0.0


def _face(image_bgr: np.ndarray) -> np.ndarray:
    """Return a whole image as one face, uint8 (1, 48, 48)."""
    gray = to_gray(image_bgr)
    height, width = gray.shape
    return crop_faces(gray, np.array([[0, 0, width, height]], np.float32))


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type=_JSON)


def _image(image_bgr: np.ndarray, form: str) -> Response:
    suffix, parameters = _ENCODERS[form]
    _, encoded = cv2.imencode(suffix, image_bgr, parameters)
    return Response(encoded.tobytes(), media_type=form)
